package attest

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestParseTEE(t *testing.T) {
	for name, want := range map[string]TEE{"tdx": TDX, "simulated": Simulated} {
		if got, err := ParseTEE(name); got != want || err != nil {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "TDX", "tdx ", "sev-snp", "Simulated", "none"} {
		got, err := ParseTEE(name)
		if got != "" || err == nil || !strings.HasSuffix(err.Error(), "want tdx or simulated") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

func TestAvailable(t *testing.T) {
	with := func(names ...string) fstest.MapFS {
		root := fstest.MapFS{"dev/null": {}, "sys/kernel/config/other": {}}
		for _, name := range names {
			root[name] = &fstest.MapFile{}
		}
		return root
	}
	for _, tc := range []struct {
		name string
		tee  TEE
		root fstest.MapFS
		want bool
	}{
		{"configfs", TDX, with("sys/kernel/config/tsm/report/x"), true},
		{"device", TDX, with("dev/tdx_guest"), true},
		{"old device", TDX, with("dev/tdx-guest"), true},
		{"all", TDX, with("sys/kernel/config/tsm/report/x", "dev/tdx_guest", "dev/tdx-guest"), true},
		{"none", TDX, with(), false},
		{"configfs of another kind", TDX, with("sys/kernel/config/tsm/other"), false},
		{"device of another kind", TDX, with("dev/sev-guest"), false},
		{"elsewhere", TDX, with("mnt/dev/tdx_guest"), false},
		{"no TEE named", "", with(), false},
		{"simulated", Simulated, with(), true},
		{"simulated in a TDX guest", Simulated, with("dev/tdx_guest"), true},
	} {
		err := tc.tee.Available(tc.root)
		if (err == nil) != tc.want {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "--tee simulated")) {
			t.Errorf("%s: %v: does not say what to do", tc.name, err)
		}
	}
}
