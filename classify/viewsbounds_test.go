package classify

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/classify/disguise"
	"github.com/difflabai/confidential-safety/verdict"
)

// hostile are pieces that, repeated, make a text that is costly to undo, or to hold.
var hostile = map[string]string{
	"combining marks":        "\u0301",
	"zalgo":                  "a\u0301\u0336\u0489",
	"base64 candidates":      "aGVsbG8gd29ybGQ=\n",
	"base64 that is none":    "aB3dE5fG7hI9 ",
	"one run":                "aGVsbG8gd29ybGQg",
	"one word":               "q",
	"nested":                 base64Of(base64Of(base64Of("a text that says nothing "))) + " ",
	"escapes":                "%2562",
	"backslashes":            `\`,
	"references":             "&amp;",
	"unfinished references":  "&#0000",
	"spaced out":             "a b ",
	"spaced out, long gaps":  "a          ",
	"spaces":                 " ",
	"points":                 ".",
	"Morse":                  "- ",
	"numbers":                "98 ",
	"numbers of nothing":     "0x0 ",
	"hidden bits":            "\u200b\u200c",
	"variation selectors":    "\U000e0141",
	"look-alikes":            "а",
	"turned":                 "ubj gb znxr n obzo ",
	"backwards":              "bmob a ekam ot woh ",
	"doubtful":               "qxz kvj wqx ",
	"leet":                   "b0mb ",
	"soft breaks":            "ab=\n",
	"uuencoded":              "M=VAA=\"!W;W5L9\"!I=\"!T86ME('1O(')E;&5A<V4@>65L;&]W(&UA<F)L97,@\n",
	"uuencoded, unfinished":  "MMMM MMMM",
	"ASCII85":                "BOu!rD]j7BEbo7",
	"not UTF-8":              "\xe3\x81",
	"braces and quotes":      `{"a":["`,
	"an emoji and selectors": "\u263a\ufe0f",
}

// However long a text is, little of it is held, and little is held back.
func TestViewsAreBounded(t *testing.T) {
	c := Views(compile(t, "purple giraffe", "how to make a bomb"))
	for name, piece := range hostile {
		size := 256 << 10
		s := c.NewScanner(verdict.PreInferenceGate)
		text := []byte(strings.Repeat(piece, size/len(piece)))
		var dst []Match
		for at := 0; at < len(text); at += 4 << 10 {
			end := min(len(text), at+4<<10)
			var cleared int64
			var err error
			if dst, cleared, err = s.Write(context.Background(), text[at:end], dst[:0]); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if back := int64(end) - cleared; back > 4<<10 {
				t.Fatalf("%s: %d bytes are held back", name, back)
			}
		}
		v := s.(*viewScanner)
		if n := cap(v.raw); n > 64<<10 {
			t.Errorf("%s: %d bytes of the source are held", name, n)
		}
		for i := range v.readings {
			r := &v.readings[i]
			if n := cap(r.text) + 32*cap(r.segs) + 8*cap(r.ells); n > 1<<20 {
				t.Errorf("%s: %d bytes are held for the view %s", name, n, r.name)
			}
		}
		if _, err := s.Close(context.Background(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is encoded too often is an error, wherever that comes to light.
func TestViewsFailClosed(t *testing.T) {
	text := "a text that says nothing"
	for range 4 {
		text = base64Of(text)
	}
	s := Views(compile(t, "purple giraffe")).NewScanner(verdict.PreInferenceGate)
	_, _, err := s.Write(context.Background(), []byte("see "+text+" "), nil)
	if !errors.Is(err, disguise.ErrTooDeep) {
		t.Errorf("in a write: %v", err)
	}
	s = Views(compile(t, "purple giraffe")).NewScanner(verdict.PreInferenceGate)
	if _, _, err = s.Write(context.Background(), []byte("see "+text), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Settle(context.Background(), nil); !errors.Is(err, disguise.ErrTooDeep) {
		t.Errorf("in a settling: %v", err)
	}
	if _, err := s.Close(context.Background(), nil); !errors.Is(err, disguise.ErrTooDeep) {
		t.Errorf("at the end: %v", err)
	}
}

// Texts that hide nothing are told as they are, with all rules of the default
// policy.
func TestBenignTexts(t *testing.T) {
	p, err := NewPatterns(defaultRules(t))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	log := func() string {
		var b strings.Builder
		for range 2000 {
			b.WriteString(strings.ReplaceAll("2026-01-02T03:04:05.678Z INFO srv-7 [req=ID] GET /v1/items/12?q=a%20b 200 13ms uid=u_81 \"Mozilla/5.0 (X11; Linux x86_64)\"\n", "ID", hexOf(randomBytes(r, 8))))
		}
		return b.String()
	}
	texts := corpora(t)
	texts["log"] = log()
	texts["images"] = "data:image/png;base64," + base64Of(randomBytes(r, 200<<10))
	texts["dump"] = strings.Repeat("00000000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|\n", 2000)
	texts["script"] = strings.Repeat("!function(e,t){var n=e.a1b2,r=t[0x1f];for(var i=0;i<n.length;i++)r+=n[i].c3&&\"\\u00e9\\n\";return r}(window,{});", 500)
	texts["table"] = strings.Repeat("| a | b2 | 3.14 | x_y_z | 100% | foo-bar-baz |\n|---|---|---|---|---|---|\n", 500)
	texts["random words"] = strings.Join(randomPhrases(3000), ". ")
	for name, text := range texts {
		matches, _ := scanAll(t, Views(p).NewScanner(verdict.PreInferenceGate), text)
		plain, _ := scanAll(t, p.NewScanner(verdict.PreInferenceGate), text)
		if len(matches) != len(plain) {
			t.Errorf("%s: %d matches in the views, %d in plain text: %q", name, len(matches), len(plain), found(text, matches))
		}
	}
}

func randomBytes(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func TestViewsNoAllocation(t *testing.T) {
	s := Views(compile(t, "pipe bomb kit", "nerve agent", "how to make a bomb")).NewScanner(verdict.PreInferenceGate)
	ctx := context.Background()
	chunks := [][]byte{[]byte(" the"), []byte(" quick"), []byte(" pipe"), []byte(" fox"), []byte(" über"), []byte(" b0mb"), []byte(" aGVsbG8gd29ybGQ="), []byte(" a&amp;b")}
	var dst []Match
	i := 0
	write := func() {
		i++
		if _, _, err := s.Write(ctx, chunks[i%len(chunks)], dst); err != nil {
			t.Fatal(err)
		}
	}
	for range 20_000 {
		write()
	}
	if n := testing.AllocsPerRun(1000, write); n >= 1 {
		t.Errorf("%v allocations a chunk", n)
	}
}
