package envoy

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Version is an Envoy release. Prerelease marks a build from before it.
type Version struct {
	Major, Minor, Patch int
	Prerelease          bool
}

// minimum is the oldest Envoy that fails closed. Before 1.37 a reset in
// mid-response had the code NO_ERROR; before 1.39.0 a processor that could not
// be reached let everything pass, whatever the configuration; 1.39.1 mends uses
// after free in ext_proc (Envoy's changelogs).
var minimum = Version{Major: 1, Minor: 39, Patch: 1}

func (v Version) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.Prerelease {
		s += "-dev"
	}
	return s
}

// before reports whether v is older than w.
func (v Version) before(w Version) bool {
	for _, d := range [...]int{v.Major - w.Major, v.Minor - w.Minor, v.Patch - w.Patch} {
		if d != 0 {
			return d < 0
		}
	}
	return v.Prerelease && !w.Prerelease
}

// versionForm is the line that `envoy --version` prints:
// commit/version/tree state/build type/TLS library.
var versionForm = regexp.MustCompile(`version: [0-9a-f]*/([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(-[^/ ]*)?/`)

func parseVersion(line string) (v Version, err error) {
	m := versionForm.FindStringSubmatch(line)
	if m == nil {
		return v, errors.New("it does not tell its version as Envoy does")
	}
	for i, into := range []*int{&v.Major, &v.Minor, &v.Patch} {
		if *into, err = strconv.Atoi(m[i+1]); err != nil {
			return v, fmt.Errorf("version: %w", err)
		}
	}
	v.Prerelease = m[4] != ""
	return v, nil
}

// versionTimeout bounds how long an Envoy may take to tell its version.
const versionTimeout = 10 * time.Second

// checkVersion asks the Envoy at a path for its version and refuses one that
// does not fail closed.
func checkVersion(ctx context.Context, path string, timeout time.Duration) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env = []string{} // as in Start
	cmd.WaitDelay = waitDelay
	out, err := cmd.Output()
	if err != nil {
		return Version{}, fmt.Errorf("envoy %s: cannot be run: %w: name another with --envoy", path, err)
	}
	v, err := parseVersion(strings.TrimSpace(string(out)))
	if err != nil {
		return Version{}, fmt.Errorf("envoy %s: %w: name another with --envoy", path, err)
	}
	if v.before(minimum) {
		return Version{}, fmt.Errorf("envoy %s is version %s, which does not fail closed: name one of %s or later with --envoy", path, v, minimum)
	}
	return v, nil
}
