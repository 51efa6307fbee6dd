package envoy

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
)

var update = flag.Bool("update", false, "write the golden files")

// TestBootstrapGolden pins the bytes. They are attested: a change to a golden
// file is a change of what clients verify.
func TestBootstrapGolden(t *testing.T) {
	for name, s := range both(t) {
		got, err := Marshal(mustBootstrap(t, s))
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(golden, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs; if that is meant: go test ./envoy -update. Now it is\n%s", golden, got)
		}
	}
}

func TestMarshalIsStableAndWhole(t *testing.T) {
	for name, s := range both(t) {
		b := mustBootstrap(t, s)
		first, err := Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if again, err := Marshal(mustBootstrap(t, s)); err != nil || !bytes.Equal(again, first) {
				t.Fatalf("%s: another text, or %v", name, err)
			}
		}
		back := new(bootstrapv3.Bootstrap)
		if err := protojson.Unmarshal(first, back); err != nil || !proto.Equal(b, back) {
			t.Errorf("%s: the text reads as another bootstrap, or %v", name, err)
		}
	}
}

// TestEnvoyTakesTheBootstrap has the real Envoy judge it, with the values that
// settings can give to text.
func TestEnvoyTakesTheBootstrap(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	finder := Finder{Cache: filepath.Join(cache, "confidential-safety"), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	binary, err := finder.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cases := both(t)
	odd := settings()
	odd.PolicyVersion = `100% "sure" %REQ(AUTHORIZATION)% <&> \ %`
	odd.Upstream.Host, odd.Upstream.Path = "[::1]:8000", "/a%20b"
	odd.Listen = "[::]:0"
	cases["odd"] = odd
	key := tlsSettings(t)
	key.UpstreamCA, key.Upstream.Host = nil, "[2001:DB8:0::1]"
	cases["key alone"] = key
	for name, s := range cases {
		text, err := Marshal(mustBootstrap(t, s))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "envoy.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), binary.Path, "--mode", "validate", "--log-level", "warning", "--config-path", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if strings.Contains(strings.ToLower(string(out)), "deprecated") {
			t.Errorf("%s: something is deprecated\n%s", name, out)
		}
	}
}
