package demo

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// The vectors are pinned: they are part of what is deterministic.
func TestEmbeddings(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{
			"one", `{"input":"good morning","dimensions":3}`,
			`{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.24139589,-0.8912483,0.38393298]}],"model":"demo",
			"usage":{"prompt_tokens":2,"total_tokens":2}}`,
		},
		{
			"several, as bytes", `{"model":"m","input":["good morning","b c d"],"dimensions":1,"encoding_format":"base64"}`,
			`{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="},{"object":"embedding","index":1,"embedding":"AACAvw=="}],"model":"m",
			"usage":{"prompt_tokens":5,"total_tokens":5}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) { whole(t, "/v1/embeddings", test.body, test.want) })
	}
}

// Both forms hold the same numbers.
func TestEmbeddingForms(t *testing.T) {
	var numbers struct {
		Data []struct{ Embedding []float32 }
	}
	var text struct{ Data []struct{ Embedding string } }
	for format, into := range map[string]any{"float": &numbers, "base64": &text} {
		w := postTo(t, "/v1/embeddings", `{"input":["x","y"],"encoding_format":"`+format+`"}`)
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		b, err := base64.StdEncoding.DecodeString(text.Data[i].Embedding)
		if err != nil {
			t.Fatal(err)
		}
		var got []float32
		for len(b) >= 4 {
			got = append(got, math.Float32frombits(binary.LittleEndian.Uint32(b)))
			b = b[4:]
		}
		if want := numbers.Data[i].Embedding; len(want) != 8 || !slices.Equal(got, want) {
			t.Errorf("%v, want the 8 of %v", got, want)
		}
	}
}

func TestVector(t *testing.T) {
	for _, dimensions := range []int{1, 8, 9, maxDimensions} {
		sum := 0.0
		v := vector("text", dimensions)
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if len(v) != dimensions || math.Abs(sum-1) > 1e-5 {
			t.Errorf("%d numbers of %d, length %v", len(v), dimensions, math.Sqrt(sum))
		}
		if dimensions > 1 && slices.Equal(v, vector("texts", dimensions)) {
			t.Error("another text has the same vector")
		}
	}
	if v := vector("text", 16); slices.Equal(v[:8], v[8:]) {
		t.Error("the numbers repeat")
	}
}

func TestEmbeddingsRefused(t *testing.T) {
	for _, test := range []struct {
		body  string
		param any
	}{
		{`{}`, "input"},
		{`{"input":""}`, "input"},
		{`{"input":[]}`, "input"},
		{`{"input":["a",""]}`, "input"},
		{`{"input":[1,2]}`, "input"},
		{`{"input":["` + strings.Repeat(`a","`, maxInputs) + `a"]}`, "input"},
		{`{"input":"a","dimensions":0}`, "dimensions"},
		{`{"input":"a","dimensions":4097}`, "dimensions"},
		{`{"input":"a","encoding_format":"int8"}`, "encoding_format"},
		{`{"input":"a","encoding_format":8}`, "encoding_format"},
	} {
		refused(t, "/v1/embeddings", test.body, 400, "invalid_value", test.param)
	}
}
