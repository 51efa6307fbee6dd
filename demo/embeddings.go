package demo

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"slices"
)

const (
	// maxInputs bounds the inputs of one request, and maxDimensions the numbers
	// of one embedding.
	maxInputs     = 2048
	maxDimensions = 4096

	defaultDimensions = 8
)

// embeddingsRequest holds the members of an embeddings request that the model
// heeds.
type embeddingsRequest struct {
	Model      string `json:"model"`
	Input      texts  `json:"input"`
	Dimensions *int   `json:"dimensions"`
	Encoding   string `json:"encoding_format"`

	dimensions int // Dimensions, or 8 where the request has none
}

type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"` // numbers, or their bytes in base64
}

type embeddingUsage struct {
	Prompt int `json:"prompt_tokens"`
	Total  int `json:"total_tokens"`
}

// check refuses what has no embedding.
func (r *embeddingsRequest) check() *fault {
	if len(r.Input) == 0 || len(r.Input) > maxInputs || slices.Contains(r.Input, "") {
		return invalid("input", "input must be a string or a list of 1 to 2048 strings, none of them empty: token ids are not read.")
	}
	switch r.Encoding {
	case "", "float", "base64":
	default:
		return invalid("encoding_format", "encoding_format must be float or base64.")
	}
	r.dimensions = defaultDimensions
	if r.Dimensions != nil {
		r.dimensions = *r.Dimensions
	}
	if r.dimensions < 1 || r.dimensions > maxDimensions {
		return invalid("dimensions", "dimensions must be from 1 to 4096.")
	}
	return nil
}

func embeddings(w http.ResponseWriter, r *http.Request) *fault {
	var req embeddingsRequest
	if f := read(w, r, &req); f != nil {
		return f
	}
	if f := req.check(); f != nil {
		return f
	}
	answer := struct {
		Object string         `json:"object"`
		Data   []embedding    `json:"data"`
		Model  string         `json:"model"`
		Usage  embeddingUsage `json:"usage"`
	}{Object: "list", Model: modelOf(req.Model)}
	for i, input := range req.Input {
		v := vector(input, req.dimensions)
		e := embedding{"embedding", i, v}
		if req.Encoding == "base64" {
			var b []byte
			for _, x := range v {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
			}
			e.Vector = base64.StdEncoding.EncodeToString(b)
		}
		answer.Data = append(answer.Data, e)
		answer.Usage.Prompt += count(input)
	}
	answer.Usage.Total = answer.Usage.Prompt
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// vector makes a vector of length 1 of a text: the same of the same text, and
// of any other text another that says nothing of how alike they are.
func vector(text string, dimensions int) []float32 {
	seed := sha256.Sum256([]byte(text))
	v := make([]float64, 0, dimensions)
	sum := 0.0
	for block := uint32(0); len(v) < dimensions; block++ {
		hash := sha256.Sum256(binary.BigEndian.AppendUint32(seed[:], block))
		for i := 0; i < len(hash) && len(v) < dimensions; i += 4 {
			// Odd numbers only: none is 0.
			n := int32(binary.BigEndian.Uint32(hash[i:]) | 1) //nolint:gosec // the sign is wanted
			x := float64(n)
			v = append(v, x)
			sum += float64(x * x) // by itself: some machines would round x*x+sum otherwise
		}
	}
	length := math.Sqrt(sum)
	unit := make([]float32, dimensions)
	for i, x := range v {
		unit[i] = float32(x / length)
	}
	return unit
}
