//go:build dataset

// Package dataset measures the default policy on labelled rows. The sets are
// not part of the repository, so this is built only with the tag dataset, as
// `make test-data DATA=DIR` does.
package dataset

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// report is of policy eval's output what is asserted.
type report struct {
	Benign struct {
		Total struct{ N, Hits int }
	}
	Disclosures struct {
		ByCategory []struct {
			Category string
			Benign   struct{ N, Hits int }
		} `json:"by_category"`
	}
}

// TestData prints the rates of the default policy, and fails if it stops a
// hundredth of what is benign (evaluation E1.2) or is as certain of any of it as
// a disclosure takes.
func TestData(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("TEST_DATA"), "*", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rows below TEST_DATA: %v", err)
	}
	eval := func(args ...string) []byte {
		cmd := exec.Command("go", append([]string{"run", "../../cmd/confidential-safety", "policy", "eval"}, args...)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Logf("%s", eval(files...))
	var r report
	if err := json.Unmarshal(eval(append([]string{"--json"}, files...)...), &r); err != nil {
		t.Fatal(err)
	}
	if n, of := r.Benign.Total.Hits, r.Benign.Total.N; of == 0 || 100*n >= of {
		t.Errorf("%d of %d benign rows are stopped, want under 1%%", n, of)
	}
	if len(r.Disclosures.ByCategory) == 0 {
		t.Error("no word on disclosures")
	}
	for _, c := range r.Disclosures.ByCategory {
		if c.Benign.N == 0 || c.Benign.Hits > 0 {
			t.Errorf("%s: %d of %d benign rows are as certain as a disclosure takes", c.Category, c.Benign.Hits, c.Benign.N)
		}
	}
}
