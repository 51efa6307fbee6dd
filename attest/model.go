package attest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ModelHash returns the digest of a model: of a file its SHA-256, of a
// directory the SHA-256 of what sha256sum prints for all files below it in the
// order of their paths in bytes, that is of
//
//	find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum --
//
// Links in it and other things that are no regular files are an error: what they
// lead to could change without the digest. So are names that sha256sum escapes
// or takes for its standard input. A path that is itself a link is followed.
func ModelHash(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("model: %w", err)
	}
	if info.Mode().IsRegular() {
		return hashFile(path)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("model %s: neither a file nor a directory", path)
	}
	root := os.DirFS(path)
	var names []string
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is not a regular file: put the file itself there", name)
		case strings.ContainsAny(name, "\\\n\r"):
			return errors.New("a file's name holds a backslash or a line break: rename it")
		case name == "-":
			return errors.New("a file's name is a dash, which means standard input: rename it")
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("model %s: %w", path, err)
	}
	if len(names) == 0 {
		return "", fmt.Errorf("model %s: the directory holds no file", path)
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		sum, err := hashFile(filepath.Join(path, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s  %s\n", sum, name)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("model: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("model: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
