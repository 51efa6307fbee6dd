package attest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// modelFiles are in an order that is neither that of their bytes nor that of a
// walk through directories, in which "a.json" comes after "a/z".
var modelFiles = map[string]string{
	"weights/00002.bin": "two",
	"weights/00001.bin": "one",
	"config.json":       "{}",
	"a/z":               "",
	"a.json":            "dot",
	"a-b":               "dash",
	"B":                 "upper",
	"with space  two":   "space",
	"ü\xff":             "not ASCII, not UTF-8",
	".hidden/.file":     "hidden",
	"deep/er/and/er/f":  "deep",
	"-option":           "begins with a dash",
	"*?[x]$(true)'\"":   "shell",
	"\ttab":             "tab",
}

// goldenModel is the digest of modelFiles, by the pipeline of ModelHash's
// documentation. It is attested: another one means another format.
const goldenModel = "92710f8e5912e8328f1438b752416f584a1a430ddb8b013fd395201dae5c21e8"

func model(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	sum, err := ModelHash(path)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestModelHashGolden(t *testing.T) {
	if got := hashOf(t, model(t, modelFiles)); got != goldenModel {
		t.Errorf("digest %s, want %s", got, goldenModel)
	}
}

// pipeline is the one that ModelHash's documentation gives, and what it is the
// SHA-256 of is printed.
const pipeline = `find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum --`

func TestModelHashIsThePipeline(t *testing.T) {
	for _, tool := range []string{"sh", "find", "sort", "xargs", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	source, err := os.ReadFile("model.go")
	if err != nil || !strings.Contains(string(source), "//\t"+pipeline+"\n") {
		t.Fatalf("the documentation gives another pipeline (%v)", err)
	}
	for name, files := range map[string]map[string]string{
		"many": modelFiles, "one": {"model.bin": "weights"}, "below": {"x/y": ""},
	} {
		dir := model(t, files)
		if err := os.MkdirAll(filepath.Join(dir, "empty", "empty"), 0o700); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", pipeline)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sum := sha256.Sum256(out)
		if got, want := hashOf(t, dir), hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: digest %s, the pipeline's %s of\n%s", name, got, want, out)
		}
	}
}

func TestModelHashFile(t *testing.T) {
	dir := model(t, map[string]string{"m": "abc"})
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180
	if got := hashOf(t, filepath.Join(dir, "m")); got != want {
		t.Errorf("digest of a file %s, want %s", got, want)
	}
	if hashOf(t, dir) == want {
		t.Error("a directory has the digest of the file in it")
	}
}

func TestModelHashChanges(t *testing.T) {
	files := map[string]string{"a": "one", "b": "two"}
	first := hashOf(t, model(t, files))
	if again := hashOf(t, model(t, files)); again != first {
		t.Errorf("the same files in another place: %s, then %s", first, again)
	}
	for name, other := range map[string]map[string]string{
		"a byte":    {"a": "onE", "b": "two"},
		"a name":    {"a": "one", "c": "two"},
		"swapped":   {"a": "two", "b": "one"},
		"moved":     {"a": "one", "d/b": "two"},
		"more":      {"a": "one", "b": "two", "c": ""},
		"less":      {"a": "one"},
		"hidden":    {"a": "one", "b": "two", ".c": ""},
		"truncated": {"a": "one", "b": "tw"},
	} {
		if hashOf(t, model(t, other)) == first {
			t.Errorf("%s: the digest is the same", name)
		}
	}
}

func TestModelHashRefuses(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name string
		make func(dir string) error
		want string
	}{
		{"link to a file", func(dir string) error { return os.Symlink("config.json", filepath.Join(dir, "link")) }, "link is not a regular file"},
		{"link to a directory", func(dir string) error { return os.Symlink("weights", filepath.Join(dir, "link")) }, "link is not a regular file"},
		{"dangling link", func(dir string) error { return os.Symlink("nothing", filepath.Join(dir, "weights", "link")) }, "weights/link is not a regular file"},
		{"pipe", func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600) }, "pipe is not a regular file"},
		{"line feed", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\nb"), nil, 0o600) }, "rename it"},
		{"carriage return", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\rb"), nil, 0o600) }, "rename it"},
		{"backslash", func(dir string) error { return os.WriteFile(filepath.Join(dir, `a\b`), nil, 0o600) }, "rename it"},
		{"standard input", func(dir string) error { return os.WriteFile(filepath.Join(dir, "-"), nil, 0o600) }, "rename it"},
	} {
		dir := model(t, map[string]string{"config.json": "{}", "weights/1": "x"})
		must(tc.make(dir))
		wantRefused(t, tc.name, dir, tc.want)
	}
	empty := t.TempDir()
	wantRefused(t, "empty", empty, "holds no file")
	must(os.MkdirAll(filepath.Join(empty, "a", "b"), 0o700))
	wantRefused(t, "empty directories", empty, "holds no file")
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(syscall.Mkfifo(pipe, 0o600))
	wantRefused(t, "the pipe itself", pipe, "neither a file nor a directory")
	wantRefused(t, "nothing", filepath.Join(empty, "nothing"), "no such file")
	wantRefused(t, "no name", "", "no such file")
}

func wantRefused(t *testing.T, name, path, want string) {
	t.Helper()
	sum, err := ModelHash(path)
	if sum != "" || err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("%s: %q, %v, want the error %q", name, sum, err, want)
	}
}

func TestModelHashFollowsThePathItself(t *testing.T) {
	dir := model(t, modelFiles)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if got := hashOf(t, link); got != goldenModel {
		t.Errorf("digest by a link %s, want %s", got, goldenModel)
	}
}
