package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// The file of weights: a line that names the version, a line of JSON, and the
// weights of all tables, a byte each.

// magic begins the file. The number changes with anything that the same bytes
// would mean something else by: features, windows, tables.
const magic = "confidential-safety local model 1\n"

// header is the line of JSON.
type header struct {
	Scale       float64           `json:"scale"`
	Bias        float64           `json:"bias"`
	Heads       []headHeader      `json:"heads"`
	Calibration calibrationHeader `json:"calibration"`
}

type headHeader struct {
	Category string  `json:"category"`
	Scale    float64 `json:"scale"`
	Bias     float64 `json:"bias"`
}

type calibrationHeader struct {
	Slope     float64 `json:"slope"`
	Offset    float64 `json:"offset"`
	PerWindow float64 `json:"per_window"`
	Max       float64 `json:"max"`
}

// maxHeads bounds the categories of a file.
const maxHeads = 64

// maxHeader bounds the line of JSON, in bytes.
const maxHeader = 64 << 10

// Parse reads a file of weights. The name is for errors, which are one line and
// say what to do.
func Parse(name string, data []byte) (*Weights, error) {
	w, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: use weights that `make train` of this version wrote", name, err)
	}
	return w, nil
}

func parse(data []byte) (*Weights, error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("not weights of this version: they begin with %q", magic[:len(magic)-1])
	}
	line, _, ok := bytes.Cut(rest[:min(len(rest), maxHeader)], []byte("\n"))
	if !ok {
		return nil, errors.New("the second line does not end")
	}
	tables := rest[len(line)+1:]
	var h header
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return nil, errors.New("the second line is not the JSON that it should be")
	}
	if n := len(h.Heads); n == 0 || n > maxHeads {
		return nil, fmt.Errorf("%d categories: at least 1 and at most %d are possible", n, maxHeads)
	}
	if want := Buckets + len(h.Heads)*HeadBuckets; len(tables) != want {
		return nil, fmt.Errorf("%d bytes of tables: there are to be %d", len(tables), want)
	}
	c := Calibration(h.Calibration)
	w := &Weights{Scale: h.Scale, Bias: h.Bias, Any: signed(tables[:Buckets]), Calibration: c}
	numbers := []float64{h.Scale, h.Bias, c.Slope, c.Offset, c.PerWindow, c.Max}
	seen := make(map[string]bool)
	for i, head := range h.Heads {
		if head.Category == "" || seen[head.Category] {
			return nil, fmt.Errorf("category %d has no name of its own", i+1)
		}
		seen[head.Category] = true
		from := Buckets + i*HeadBuckets
		w.Heads = append(w.Heads, signed(tables[from:from+HeadBuckets]))
		w.HeadScale = append(w.HeadScale, head.Scale)
		w.HeadBias = append(w.HeadBias, head.Bias)
		w.Categories = append(w.Categories, head.Category)
		numbers = append(numbers, head.Scale, head.Bias)
	}
	for _, n := range numbers {
		if math.Abs(n) > 1e6 {
			return nil, errors.New("a number of the second line is out of range")
		}
	}
	if c.Slope <= 0 || c.PerWindow < 0 || c.Max <= 0 || c.Max >= 1 {
		return nil, errors.New("the calibration is none: slope and max are to be above 0, max below 1, per_window not below 0")
	}
	w.Digest = sha256.Sum256(data)
	return w, nil
}

func signed(b []byte) []int8 {
	s := make([]int8, len(b))
	for i, v := range b {
		s[i] = int8(v) //nolint:gosec // that is how they are written
	}
	return s
}

// Encode writes the file of the weights, without regard to their digest.
func (w *Weights) Encode() ([]byte, error) {
	h := header{Scale: w.Scale, Bias: w.Bias, Calibration: calibrationHeader(w.Calibration)}
	for i, c := range w.Categories {
		h.Heads = append(h.Heads, headHeader{c, w.HeadScale[i], w.HeadBias[i]})
	}
	line, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	data := append(append([]byte(magic), line...), '\n')
	for _, table := range append([][]int8{w.Any}, w.Heads...) {
		for _, v := range table {
			data = append(data, byte(v)) //nolint:gosec // read back in the same way
		}
	}
	return data, nil
}
