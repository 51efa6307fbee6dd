package main

import (
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/difflabai/confidential-safety/attest"
	"github.com/difflabai/confidential-safety/envoy"
)

// parsed parses the defaults but for the given flags.
func parsed(t *testing.T, flags ...string) (*config, error) {
	t.Helper()
	v, err := given{flags: flags}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	return v.parse()
}

func TestDefaults(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/state")
	c, err := parsed(t)
	if err != nil {
		t.Fatal(err)
	}
	if c.listen != "127.0.0.1:8443" || c.upstream != nil || c.upstreamCA != nil || c.upstreamSPKI != nil || c.tee != attest.TDX ||
		c.dataDir != "/state/confidential-safety" || c.modelHash != "" || c.envoy != "" ||
		c.logLevel != slog.LevelInfo || c.logFormat != envoy.LogText ||
		c.drainTimeout != 30*time.Second || c.requestTimeout != time.Minute || c.upstreamTimeout != 10*time.Minute ||
		c.maxBody != 8<<20 || c.limits != defaultLimits() || c.metrics != (address{}) || c.bundle.Policy.ID != "confidential-safety-default" ||
		c.extProcSocket != "/run/confidential-safety/extproc.sock" ||
		c.httpSocket != "/run/confidential-safety/http.sock" || c.sdsSocket != "/run/confidential-safety/sds.sock" {
		t.Errorf("%+v", c)
	}
}

func TestDataDir(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "/home/x")
	c := new(config)
	if err := c.parseDataDir(""); err != nil || c.dataDir != "/home/x/.local/state/confidential-safety" {
		t.Errorf("%q, %v", c.dataDir, err)
	}
	t.Setenv("HOME", "")
	if err := c.parseDataDir(""); err == nil || !strings.Contains(err.Error(), "name one") {
		t.Errorf("%v", err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.parseDataDir("x/../y"); err != nil || c.dataDir != filepath.Join(wd, "y") {
		t.Errorf("%q, %v", c.dataDir, err)
	}
}

// Each setting takes what it should, up to its bounds, and refuses the rest by
// its name.
func TestParse(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := attest.NewTLSKey([]string{"localhost"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ca := write("ca.pem", string(key.CA))
	both := write("both.pem", string(key.CA)+string(key.KeyPEM()))
	model := write("model", "hello\n")
	const modelHash = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	long := "unix:///" + strings.Repeat("x", 99)
	durations := []string{"1ms", "30s", "0h59m", "1.5s"}
	noDurations := []string{"0", "0s", "1ns", "999us", "-1s", "30", "soon", "1d", "1e3s", "8760h0m0.1s", "2562047h", "99999999h"}

	for name, c := range map[string]struct{ good, bad []string }{
		"listen": {
			[]string{"0.0.0.0:8443", "127.0.0.1:0", "[::1]:65535", "[::]:1"},
			[]string{"8443", ":8443", "localhost:8443", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "http://127.0.0.1:1", " 127.0.0.1:1", "[::1%lo]:1", "[::ffff:127.0.0.1]:1", "224.0.0.1:1", "[ff02::1]:1"},
		},
		"upstream": {
			[]string{"http://127.0.0.1:8000", "http://localhost", "http://[::1]:1/base"},
			[]string{"127.0.0.1:8000", "localhost:8000", "http://", "http://192.0.2.1", "http://127.0.0.1.example", "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://u:p@127.0.0.1", "http://127.0.0.1?x", "http://127.0.0.1#x", "http://[::1%25lo]", "https://127.0.0.1", "unix:///x", "file:///etc/passwd", "http://%zz"},
		},
		"upstream-ca":            {nil, []string{ca, both, model, dir, filepath.Join(dir, "absent")}},
		"upstream-spki":          {nil, []string{modelHash, modelHash[1:], modelHash + "00", "xy"}},
		"policy":                 {[]string{testPolicy}, []string{filepath.Join(dir, "absent"), dir, model}},
		"tee":                    {[]string{"tdx", "simulated"}, []string{"TDX", "sgx", "none", " tdx"}},
		"data-dir":               {[]string{"/x", "x"}, nil},
		"mode":                   {[]string{"inference"}, []string{"agent", "Inference", "off"}},
		"jurisdiction":           {[]string{"US", "UK", "US-CA"}, []string{"us", "USA", "U", "US-", "US\n"}},
		"model-path":             {[]string{model}, []string{filepath.Join(dir, "absent"), "/dev/null"}},
		"expected-model-hash":    {nil, []string{modelHash, "5891", "g" + modelHash[1:]}},
		"envoy":                  {[]string{"/x"}, nil},
		"log-level":              {[]string{"debug", "info", "warn", "error"}, []string{"INFO", "info+1", "trace", "off", "4"}},
		"log-format":             {[]string{"text", "json"}, []string{"JSON", "logfmt"}},
		"drain-timeout":          {durations, noDurations},
		"request-timeout":        {durations, noDurations},
		"upstream-timeout":       {durations, noDurations},
		"max-body":               {[]string{"1024", "8388608", "67108864"}, []string{"1023", "1073741825", "0", "-1", "1e6", "8MB", "1024.0", "0x800", "99999999999999999999"}},
		"response-timeout":       {append([]string{"99h"}, durations...), noDurations},
		"stream-idle-timeout":    {[]string{"10m0.1s", "8760h"}, append([]string{"10m"}, noDurations...)},
		"max-depth":              counts("8", "512", "7", "513"),
		"max-event":              counts("1024", "8388608", "1023", "8388609", "1073741825"),
		"max-held":               counts("8388608", "67108864", "8388607", "1023", "1073741825"),
		"max-header-kb":          counts("4", "8192", "3", "8193"),
		"max-headers":            counts("16", "10000", "15", "10001"),
		"max-message":            counts("1048576", "1073741824", "1048575", "1073741825"),
		"max-connections":        counts("1", "1000000", "0", "1000001"),
		"max-connection-streams": counts("1", "10000", "0", "10001"),
		"max-requests":           counts("1", "100000", "0", "100001"),
		"max-inspected":          counts("33554432", "1099511627776", "33554431", "1048575", "1099511627777"),
		"envoy-memory":           counts("33554432", "1099511627776", "33554431", "1099511627777"),
		"metrics-addr":           {[]string{"127.0.0.1:0", "0.0.0.0:9464", "[::1]:65535", "unix:///x", long}, []string{"9464", ":9464", "localhost:9464", "127.0.0.1", "unix://x", "unix:/x", long + "x", "http://127.0.0.1:1", "unix:///run/confidential-safety/http.sock", "127.0.0.1:8443"}},
		"extproc-addr":           {[]string{"unix:///x", long}, []string{"/x", "unix://x", "unix:/x", "unix:///x/../y", "unix:///x/", "tcp://127.0.0.1:1", long + "x", "unix:///run/confidential-safety/http.sock"}},
		"http-addr":              {[]string{"unix:///x", long}, []string{"/x", long + "x", "unix:///run/confidential-safety/sds.sock"}},
		"sds-addr":               {[]string{"unix:///x", long}, []string{"/x", long + "x", "unix:///run/confidential-safety/extproc.sock"}},
		"envoy-config":           {[]string{"/x", "x"}, nil}, // serve reads it
	} {
		for _, value := range c.good {
			if _, err := parsed(t, "--"+name, value); err != nil {
				t.Errorf("--%s %q: %v", name, value, err)
			}
		}
		for _, value := range c.bad {
			_, err := parsed(t, "--"+name, value)
			switch {
			case err == nil:
				t.Errorf("--%s %q is accepted", name, value)
			case !strings.Contains(err.Error(), "--"+name) && !strings.Contains(err.Error(), value+":"):
				t.Errorf("--%s %q: %q names neither", name, value, err)
			}
		}
	}
	if n := len(settings()); n != 36 {
		t.Errorf("%d settings: add the new ones to this test", n)
	}

	// Those that go together.
	for _, flags := range [][]string{
		{"--upstream", "https://192.0.2.1", "--upstream-ca", ca},
		{"--upstream", "https://192.0.2.1:8000/v1", "--upstream-spki", modelHash},
		{"--upstream", "https://" + strings.Repeat("x.", 126) + "x", "--upstream-ca", ca},
		{"--upstream", "https://192.0.2.1", "--upstream-ca", ca, "--upstream-spki", strings.ToUpper(modelHash)},
		{"--model-path", model, "--expected-model-hash", modelHash},
		{"--model-path", model, "--expected-model-hash", strings.ToUpper(modelHash)},
	} {
		c, err := parsed(t, flags...)
		if err != nil {
			t.Errorf("%q: %v", flags, err)
			continue
		}
		if c.upstreamSPKI != nil && hex.EncodeToString(c.upstreamSPKI) != modelHash || c.modelHash != "" && c.modelHash != modelHash {
			t.Errorf("%q: %+v", flags, c)
		}
	}
	for _, flags := range [][]string{
		{"--upstream", "http://127.0.0.1", "--upstream-ca", ca},
		{"--upstream", "http://127.0.0.1", "--upstream-spki", modelHash},
		{"--upstream", "https://192.0.2.1", "--upstream-ca", both},
		{"--upstream", "https://[fe80::1%25eth0]", "--upstream-ca", ca},
		{"--upstream", "https://" + strings.Repeat("x.", 127), "--upstream-ca", ca},
		{"--model-path", model, "--expected-model-hash", strings.Repeat("0", 64)},
	} {
		if _, err := parsed(t, flags...); err == nil {
			t.Errorf("%q is accepted", flags)
		}
	}
}
