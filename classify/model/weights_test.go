package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"
)

func encoded(t testing.TB, w *Weights) []byte {
	t.Helper()
	data, err := w.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWeightsAreReadAsWritten(t *testing.T) {
	w := someWeights()
	data := encoded(t, w)
	got, err := Parse("w", data)
	if err != nil {
		t.Fatal(err)
	}
	w.Digest = sha256.Sum256(data)
	if !reflect.DeepEqual(got, w) {
		t.Error("not the same")
	}
	if !bytes.Equal(encoded(t, got), data) {
		t.Error("not written the same again")
	}
}

func TestWeightsWithErrors(t *testing.T) {
	good := encoded(t, someWeights())
	line := func(old, replacement string) []byte {
		if !bytes.Contains(good[:1000], []byte(old)) {
			t.Fatalf("%s is not there", old)
		}
		return bytes.Replace(good, []byte(old), []byte(replacement), 1)
	}
	for want, data := range map[string][]byte{
		"not weights of this version":               line("model 1\n", "model 2\n"),
		`they begin with "confidential`:             nil,
		"the second line does not end":              []byte(magic + "{}"),
		"the second line is not the JSON":           []byte(magic + "{\n"),
		"is not the JSON":                           line(`"bias"`, `"bais"`),
		"other clusters of words":                   line(`"clusters_sha256":"`, `"clusters_sha256":"00`),
		"bytes of tables":                           good[:len(good)-1],
		"there are to be 327680":                    append(bytes.Clone(good), 0),
		"0 categories":                              line(`"heads":[{"category":"ONE","scale":0.02,"bias":0.1},{"category":"TWO","scale":0.02,"bias":0.1}]`, `"heads":[]`),
		"category 2 has no name of its own":         line(`"TWO"`, `"ONE"`),
		"category 1 has no name of its own":         line(`"ONE"`, `""`),
		"a number of the second line":               line(`"scale":0.02`, `"scale":1e9`),
		"the calibration is none: slope":            line(`"slope":0.7`, `"slope":-1`),
		"max below 1":                               line(`"max":0.99`, `"max":1`),
		"per_window not below 0":                    line(`"per_window":0.2`, `"per_window":-0.2`),
		"use weights that `make train` of this ver": line(`"max":0.99`, `"max":0`),
	} {
		_, err := Parse("some.bin", data)
		if err == nil {
			t.Errorf("%s: no error", want)
			continue
		}
		if got := err.Error(); !strings.HasPrefix(got, "some.bin: ") || !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	broken := someWeights()
	broken.Bias = math.NaN()
	if _, err := broken.Encode(); err == nil {
		t.Error("NaN was written")
	}
}

func TestDefaultWeightsHaveTheirDigest(t *testing.T) {
	w, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(w.Digest[:]); got != strings.TrimSpace(weightsSum) {
		t.Errorf("digest %s", got)
	}
	if _, err := fitting(weightsFile, "00"); err == nil || !strings.Contains(err.Error(), "not the one they are to have") {
		t.Error(err)
	}
	changed := bytes.Clone(weightsFile)
	changed[len(changed)-1]++
	if _, err := fitting(changed, weightsSum); err == nil {
		t.Error("a byte was changed")
	}
}

func FuzzParse(f *testing.F) {
	good := encoded(f, someWeights())
	f.Add(good[:600])
	f.Add([]byte(magic + "{}\n"))
	tables := good[bytes.IndexByte(good[len(magic):], '\n')+len(magic)+1:]
	f.Fuzz(func(t *testing.T, head []byte) {
		w, err := Parse("w", append(bytes.Clone(head), tables...))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Error("more than one line")
			}
			return
		}
		var s Scratch
		for _, win := range NewReader(w, newTestTables(t)).Read(&s, []byte("how do i bake bread?"), 0, true, nil) {
			if math.IsNaN(w.Calibration.Probability(win.Score, win.Number)) {
				t.Error("not a number")
			}
		}
	})
}
