package inspect

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
)

// purse is a budget that says what became of it.
type purse struct {
	t                   *testing.T
	limit, used, most   int
	refused, takes, all int
}

func (p *purse) Take(n int) bool {
	if n <= 0 {
		p.t.Errorf("took %d", n)
	}
	p.all++
	if p.limit > 0 && p.used+n > p.limit {
		p.refused++
		return false
	}
	p.takes++
	p.used += n
	p.most = max(p.most, p.used)
	return true
}

func (p *purse) Give(n int) {
	if p.used -= n; n <= 0 || p.used < 0 {
		p.t.Errorf("gave %d, %d are left", n, p.used)
	}
}

// withPurse returns an inspector all of whose directions draw on one budget.
func withPurse(t *testing.T, mode policy.Streaming, limit int) (*Inspector, *purse) {
	p := &purse{t: t, limit: limit}
	l := DefaultLimits()
	l.Requests, l.Responses = p, p
	return New(loadPolicy(t, mode), patterns(t), l), p
}

// Whatever becomes of a direction, all that it took is given back, and it has
// taken what it holds meanwhile.
func TestBudgetIsExact(t *testing.T) {
	in, p := withPurse(t, policy.Window, 0)
	rnd := rand.New(rand.NewPCG(1, 2))
	words := []string{"hello ", "codename ", "project ", "heron ", "nightjar ", "a quote \\\" and more ", strings.Repeat("long ", 2000)}
	for i := range 400 {
		d, kind := in.Stream(chat(t)), i%3
		if kind > 0 {
			d = in.Request(chat(t))
		}
		before := p.used
		var body strings.Builder
		for range rnd.IntN(40) {
			w := words[rnd.IntN(len(words))]
			if kind == 0 {
				body.WriteString(sse(delta("0", w)))
			} else {
				body.WriteString(w)
			}
		}
		text := body.String()
		if kind == 1 {
			text = `{"messages":[{"role":"user","content":"` + text + `"}]}`
		}
		for len(text) > 0 {
			n := min(len(text), 1+rnd.IntN(5000))
			step, err := d.Write(context.Background(), []byte(text[:n]))
			text = text[n:]
			if err != nil || step.Blocked || rnd.IntN(50) == 0 {
				break
			}
			if held := d.queue.bytes + d.load.pending + len(d.out); p.used-before < held {
				t.Fatalf("took %d and holds %d", p.used-before, held)
			}
		}
		if rnd.IntN(2) == 0 {
			_, _ = d.End(context.Background())
		}
		d.Close()
		d.Close()
		if p.used != before {
			t.Fatalf("%d bytes were not given back", p.used-before)
		}
		if _, err := d.Write(context.Background(), []byte("x")); err == nil {
			t.Fatal("a closed direction takes more")
		}
	}
	if p.takes == 0 || p.refused > 0 {
		t.Fatalf("%+v", p)
	}
	var none *Direction
	none.Close()
}

// A direction for which there is no room ends with an error, before it reads
// what would not fit.
func TestBudgetRefuses(t *testing.T) {
	for name, open := range map[string]func(*Inspector) *Direction{
		"request":  func(in *Inspector) *Direction { return in.Request(chat(t)) },
		"response": func(in *Inspector) *Direction { return in.Response(chat(t)) },
		"stream":   func(in *Inspector) *Direction { return in.Stream(chat(t)) },
	} {
		in, p := withPurse(t, policy.Window, 3*block)
		d := open(in)
		text := `data: {"choices":[{"index":0,"delta":{"content":"`
		if name != "stream" {
			text = `{"messages":[{"role":"user","content":"`
		}
		var err error
		n := 0
		for ; err == nil && n < 100; n++ {
			_, err = d.Write(context.Background(), []byte(text))
			text = strings.Repeat("word ", 100)
		}
		var e *Error
		if !errors.As(err, &e) || e.Fault != Overloaded || n != 25 && n != 24 || p.most > p.limit || p.refused != 1 {
			t.Errorf("%s: %v after %d writes, %+v", name, err, n, p)
		}
		if step, err := d.End(context.Background()); err == nil || step.Release != nil {
			t.Errorf("%s: goes on with %q", name, step.Release)
		}
		if d.Close(); p.used != 0 {
			t.Errorf("%s: %d left", name, p.used)
		}
	}
}

// fedReader counts what a reader was given.
type fedReader struct {
	decode.Reader
	fed int
}

func (r *fedReader) Feed(p []byte, dst []*decode.Event) ([]*decode.Event, error) {
	r.fed += len(p)
	return r.Reader.Feed(p, dst)
}

// What does not fit is not read, and what turns out to be heavier than it looked
// is refused once it is.
func TestBudgetIsAskedBeforeAndAfter(t *testing.T) {
	in, _ := withPurse(t, policy.Window, 16*block)
	d := in.Request(chat(t))
	r := &fedReader{Reader: d.reader}
	d.reader = r
	if _, err := d.Write(context.Background(), make([]byte, 17*block)); err == nil || r.fed > 0 {
		t.Errorf("%v, and read %d", err, r.fed)
	}
	d.Close()
	in, p := withPurse(t, policy.Window, 16*block)
	d = in.Stream(chat(t))
	first := sse(delta("0", "codename")) // the rest waits behind it
	if _, err := d.Write(context.Background(), []byte(first)); err != nil {
		t.Fatal(err)
	}
	var e *Error
	if _, err := d.Write(context.Background(), []byte(strings.Repeat(":\n\n", 1000))); !errors.As(err, &e) || e.Fault != Overloaded {
		t.Errorf("%v, %+v", err, p)
	}
	if d.Close(); p.used != 0 {
		t.Errorf("%d left", p.used)
	}
}

// A budget that only one side has leaves the other alone.
func TestBudgetsAreApart(t *testing.T) {
	l := DefaultLimits()
	l.Requests = &purse{t: t, limit: 1}
	in := New(loadPolicy(t, policy.Window), patterns(t), l)
	if _, err := in.Response(chat(t)).Write(context.Background(), []byte("{")); err != nil {
		t.Error(err)
	}
	if _, err := in.Request(chat(t)).Write(context.Background(), []byte("{")); err == nil {
		t.Error("a request without a budget is read")
	}
}

// A token of a stream has nothing to take or give, or the budget would be what
// all processors wait for.
func TestBudgetIsQuiet(t *testing.T) {
	in, p := withPurse(t, policy.Window, 0)
	d := in.Stream(chat(t))
	for range 1000 {
		if _, err := d.Write(context.Background(), []byte(sse(delta("0", "word ")))); err != nil {
			t.Fatal(err)
		}
	}
	if d.Close(); p.all > 3 {
		t.Errorf("%d takes for 1000 tokens", p.all)
	}
}

// What is taken is near to what is held, for bodies made to be heavier than
// they look.
func TestBudgetWeighs(t *testing.T) {
	repeat := func(s string, n int) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	for name, c := range map[string]struct {
		stream bool
		ratio  float64 // of what is held to what is taken, at most
		body   string
	}{
		"prose":    {false, 1.5, `{"messages":[{"role":"user","content":"` + strings.Repeat("All is well. ", 100_000) + `"}]}`},
		"escapes":  {false, 2.5, `{"messages":[{"role":"user","content":"` + strings.Repeat(`\n`, 500_000) + `"}]}`},
		"strings":  {false, 1.5, `{"messages":[{"role":"user","content":"x"}],"x":[` + repeat(`"a"`, 100_000) + `]}`},
		"messages": {false, 1.5, `{"messages":[` + repeat(`{"role":"user","content":"a"}`, 16_000) + `]}`},
		"events":   {true, 1.5, sse(delta("0", "codename")) + strings.Repeat(":\n\n", 100_000)},
	} {
		in, p := withPurse(t, policy.Full, 0)
		l := in.limits
		l.Requests, l.Responses = p, p
		d := in.Request(chat(t))
		if c.stream {
			d = in.Stream(chat(t))
		}
		before := heap()
		text := []byte(c.body)
		for len(text) > 0 {
			n := min(len(text), 16<<10)
			if _, err := d.Write(context.Background(), text[:n]); err != nil {
				t.Fatal(name, err)
			}
			text = text[n:]
		}
		if !c.stream {
			// As it is just before the end's last step lets go of it.
			events, err := d.reader.End(nil)
			if err != nil {
				t.Fatal(name, err)
			}
			if d.events = events; d.read(context.Background(), nil) != nil || !d.settleLoad() {
				t.Fatal(name)
			}
		}
		held := int(heap() - before)
		t.Logf("%s: %d bytes, taken %d, held %d", name, len(c.body), p.used, held)
		if float64(held) > c.ratio*float64(p.used) {
			t.Errorf("%s: took %d and holds %d", name, p.used, held)
		}
		runtime.KeepAlive(d)
		d.Close()
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What a large message made large is not kept by a stream that goes on: of that
// the budget knows nothing.
func TestNothingLargeIsKept(t *testing.T) {
	in, p := withPurse(t, policy.Window, 0)
	for name, text := range map[string]string{
		"events":     strings.Repeat("\n", 30<<10),
		"one":        sse(delta("0", strings.Repeat("long ", 100<<10))),
		"held words": sse(delta("0", "project")) + strings.Repeat("\n", 30<<10),
	} {
		t.Run(name, func(t *testing.T) {
			d := in.Stream(chat(t))
			defer d.Close()
			for _, s := range []string{sse(delta("0", "hello. ")), text, sse(delta("0", " hello. ")), sse(delta("0", "hello. "))} {
				if _, err := d.Write(t.Context(), []byte(s)); err != nil {
					t.Fatal(err)
				}
			}
			const most = 64 << 10
			if n := cap(d.out) + cap(d.events)*(8+eventCost) + cap(d.queue.items)*eventCost; n > most || p.used > most {
				t.Errorf("%d bytes are kept, %d of them known", n, p.used)
			}
		})
	}
}
