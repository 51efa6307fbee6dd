package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Bundle is a policy with every file that it names: all that decides how a
// text is judged, but for the program itself.
type Bundle struct {
	// Dir is where the files are, for messages; "" for those that are embedded.
	Dir    string
	Policy *Policy
	Files  []File // the policy file first, then the others by name
}

// File is a file of a bundle. Its name is relative to the policy file, with
// slashes; the policy file's own is its base name.
type File struct {
	Name string
	Data []byte
}

// Limits of a bundle, in bytes.
const (
	maxPolicyFile  = 1 << 20
	maxPatternFile = 16 << 20
	maxBundle      = 64 << 20
)

// Load reads the policy file with the given name and all that it names.
func Load(fsys fs.FS, name string) (*Bundle, error) {
	data, err := readFile(fsys, name, maxPolicyFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: name an existing policy file", name, err)
	}
	base := path.Base(name)
	doc, err := parse(base, data)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Policy: doc.policy, Files: []File{{base, data}}}
	total := len(data)
	for _, ref := range doc.files {
		if ref.name == base {
			return nil, doc.fail(ref.at, "%s %q is the policy file itself: name another", ref.key, ref.name)
		}
		if _, ok := b.File(ref.name); ok {
			continue
		}
		data, err := readFile(fsys, path.Join(path.Dir(name), ref.name), maxPatternFile)
		if err != nil {
			return nil, doc.fail(ref.at, "%s %q: %v", ref.key, ref.name, err)
		}
		if total += len(data); total > maxBundle {
			return nil, doc.fail(ref.at, "%s %q: the policy's files are over %d bytes in all", ref.key, ref.name, maxBundle)
		}
		b.Files = append(b.Files, File{ref.name, data})
	}
	slices.SortFunc(b.Files[1:], func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return b, nil
}

// LoadFile reads the policy file at a path and all that it names. Its errors
// name the file by the path that was given.
func LoadFile(file string) (*Bundle, error) {
	dir := filepath.Dir(file)
	b, err := Load(os.DirFS(dir), filepath.Base(file))
	var e *Error
	switch {
	case err == nil:
		b.Dir = dir
		return b, nil
	case errors.As(err, &e):
		e.File = filepath.Join(dir, e.File)
		return nil, e
	default:
		return nil, fmt.Errorf("%s/%w", strings.TrimSuffix(dir, "/"), err)
	}
}

//go:embed default
var defaultFiles embed.FS

// Default returns the embedded default bundle.
func Default() (*Bundle, error) { return Load(defaultFiles, "default/policy.toml") }

// File returns the data of the named file.
func (b *Bundle) File(name string) ([]byte, bool) {
	for i := range b.Files {
		if b.Files[i].Name == name {
			return b.Files[i].Data, true
		}
	}
	return nil, false
}

// digestVersion separates the digest's domain from others and names its layout.
const digestVersion = "confidential-safety/bundle/v1\n"

// Digest is the SHA-256 of digestVersion and then, for each file of the bundle
// in order, the length of its name, its name, the length of its data, its data;
// lengths are 8 bytes, big-endian. It is the policy_hash of every verdict and
// quote: to change what goes in is to make a new version.
func (b *Bundle) Digest() [sha256.Size]byte {
	h := sha256.New()
	_, _ = io.WriteString(h, digestVersion) // a hash takes every write
	for _, f := range b.Files {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f.Name))))
		_, _ = io.WriteString(h, f.Name)
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f.Data))))
		_, _ = h.Write(f.Data)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// Hash is the digest in lower-case hex.
func (b *Bundle) Hash() string {
	d := b.Digest()
	return hex.EncodeToString(d[:])
}

func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	// Before it is opened: to open a pipe waits for a writer.
	if info, err := fs.Stat(fsys, name); err != nil {
		return nil, cause(err)
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, cause(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("larger than %d bytes", limit)
	}
	return data, nil
}

// cause is what went wrong with a file, without the path that the caller names.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
