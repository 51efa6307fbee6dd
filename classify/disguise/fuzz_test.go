package disguise

import (
	"errors"
	"slices"
	"testing"
)

// reader is what both of the views are.
type reader interface {
	Next(text []byte, i int, final bool) (plain, n int, err error)
	Text() *Text
}

// drive reads a text that comes in steps, and writes what is undone in brackets.
func drive(t testing.TB, u reader, text string, step int) (string, error) {
	t.Helper()
	var out []byte
	for at, have := 0, 0; ; {
		final := have == len(text)
		plain, n, err := u.Next([]byte(text[:have]), at, final)
		if err != nil {
			return "", err
		}
		if plain < 0 || n < 0 || at+plain+n > have {
			t.Fatalf("%d and %d bytes of %d", plain, n, have-at)
		}
		out = append(out, text[at:at+plain]...)
		at += plain
		if n > 0 {
			undone := u.Text()
			if len(undone.At) != len(undone.Bytes) {
				t.Fatalf("%d places of %d bytes", len(undone.At), len(undone.Bytes))
			}
			for i, p := range undone.At {
				from, to := int(p.From), int(p.From)+int(p.Len)
				if from < 0 || from >= to || to > n {
					t.Fatalf("byte %d of %q is at %d-%d of %d", i, undone.Bytes, from, to, n)
				}
				if i > 0 && p.From < undone.At[i-1].From && !undone.Backwards {
					t.Fatalf("byte %d of %q is before the one before it", i, undone.Bytes)
				}
				if !p.Undone && undone.Bytes[i] != text[at+from] {
					t.Fatalf("byte %d of %q is not %q", i, undone.Bytes, text[at+from])
				}
			}
			for _, i := range undone.Ells {
				if undone.Bytes[i] != 'i' {
					t.Fatalf("%q is not for an l", undone.Bytes[i])
				}
			}
			out = append(append(append(out, '['), undone.Bytes...), ']')
			at += n
			continue
		}
		if final {
			if at != have {
				t.Fatalf("%d bytes are left undecided", have-at)
			}
			return string(out), nil
		}
		if have-at > 4*MaxRun+step {
			t.Fatalf("%d bytes are undecided", have-at)
		}
		have = min(len(text), have+step)
	}
}

// fuzzReader checks that what is undone does not depend on how the text comes.
func fuzzReader(t *testing.T, make func() reader, text string, step int) {
	t.Helper()
	if step < 1 || len(text) > 3*MaxRun {
		t.Skip("out of the interesting range")
	}
	want, wantErr := drive(t, make(), text, len(text)+1)
	got, err := drive(t, make(), text, step)
	if got != want || !errors.Is(err, wantErr) {
		t.Fatalf("in steps of %d: %q, %v, want %q, %v", step, got, err, want, wantErr)
	}
}

func FuzzUnmasker(f *testing.F) {
	for _, tc := range slices.Concat(unmasked, kept) {
		f.Add(tc[0], 1)
		f.Add(tc[0], 7)
	}
	f.Fuzz(func(t *testing.T, text string, step int) {
		fuzzReader(t, func() reader { return &Unmasker{} }, text, step)
	})
}

func FuzzTurner(f *testing.F) {
	for _, tc := range turned {
		f.Add(tc[0], 1)
		f.Add(tc[0], 7)
	}
	f.Fuzz(func(t *testing.T, text string, step int) {
		fuzzReader(t, func() reader { return &Turner{} }, text, step)
	})
}

// Each decoder by itself: whatever it gets, its places are in the text.
func FuzzDecoders(f *testing.F) {
	for _, tc := range unmasked {
		f.Add([]byte(tc[0]))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 || len(text) > MaxRun {
			t.Skip("out of the interesting range")
		}
		var out Text
		check := func(name string, n int) {
			if len(out.At) != len(out.Bytes) {
				t.Fatalf("%s: %d places of %d bytes", name, len(out.At), len(out.Bytes))
			}
			for _, p := range out.At {
				if p.From < 0 || p.Len == 0 || int(p.From)+int(p.Len) > n {
					t.Fatalf("%s: %d+%d of %d", name, p.From, p.Len, n)
				}
			}
			out.reset()
		}
		for _, m := range several {
			e, _, _ := token(text, 0)
			if n := m.match(text, 0, e, true, &out); n > 0 {
				check("several", n)
			}
			out.reset()
		}
		escapes(text, &out)
		check("escapes", len(text))
		hidden(text, &out)
		check("hidden", len(text))
		ascii85(text, &out)
		check("ascii85", len(text))
		var u Unmasker
		u.run(text, 0, len(text), &out)
		check("run", len(text))
		word(text, 0, where{true, true, true}, &out)
		check("word", len(text))
	})
}
