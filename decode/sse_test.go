package decode

import (
	"slices"
	"strings"
	"testing"
)

func repeat(s string, n int) string { return strings.Repeat(s, n) }

// TestEvents cuts streams of server-sent events, each in every way into two
// and byte by byte.
func TestEvents(t *testing.T) {
	for _, tc := range []struct {
		name   string
		events []string // the stream is their concatenation
		want   []string
	}{
		{"nothing", nil, nil},
		{"LF", []string{"data: \"a\"\n\n", "data: \"b\"\n\n"}, []string{"aside a", "aside b"}},
		{"CRLF", []string{"data: \"a\"\r\n\r\n", "data: \"b\"\r\n\r\n"}, []string{"aside a", "aside b"}},
		{"CR", []string{"data: \"a\"\r\r", "data: \"b\"\r\r"}, []string{"aside a", "aside b"}},
		{"mixed", []string{"data: \"a\"\n\r\n", "data: \"b\"\r\n\r", "data: \"c\"\r\r\n", "data: \"d\"\n\r"},
			[]string{"aside a", "aside b", "aside c", "aside d"}},
		{"blank lines", []string{"\n", "\r\n", "\n", "\r", "data: \"a\"\n\n", "\n"}, []string{"aside a"}},
		{"no space", []string{"data:\"a\"\n\n"}, []string{"aside a"}},
		{"one space of two", []string{"data:  \"a\"\n\n"}, []string{"aside a"}},
		{"several lines", []string{"data: {\"x\":\ndata:\"a\",\ndata\ndata:\ndata:  \"y\": \"b\\u0063\"}\n\n"},
			[]string{"other x", "aside a", "other y", "aside bc"}},
		{"several lines, CRLF", []string{"data: [\"a\",\r\nid: 7\r\ndata: \"b\"]\r\n\r\n"}, []string{"aside / 7", "aside a", "aside b"}},
		{"no data", []string{"data\n\n", "data:\n\n", "data: \ndata\n\n"}, nil},
		{"comments and fields", []string{": ping\n\n", ":\n\n", "event: e\nid: i\nretry: 3\ndata: \"a\"\n\n"},
			[]string{"aside / ping", "aside /", "aside / e", "aside / i", "aside / 3", "aside a"}},
		{"byte order mark", []string{"\xef\xbb\xbfdata: \"a\"\n\n"}, []string{"aside a"}},
		{"byte order mark alone", []string{"\xef\xbb\xbf"}, nil},
		{"end mark", []string{"data: [DONE]\n\n", "data:[DONE]\n\n", "data: \"a\"\n\n"}, []string{"aside a"}},
		{"last event without blank line", []string{"data: \"a\"\n\n", "data: \"b\"\n"}, []string{"aside a", "aside b"}},
		{"last event without end of line", []string{"data: \"a\"\n\n", "data: \"b\""}, []string{"aside a", "aside b"}},
		{"last event ends in CR", []string{"data: \"a\"\r\r"}, []string{"aside a"}},
		{"last line is a comment", []string{"data: \"a\"\n:c"}, []string{"aside /c", "aside a"}},
		{"runes", []string{"data: \"é€😀\"\n\n", ": é\u2028€\n\n"}, []string{"aside é€😀", "aside / é\u2028€"}},
		{"long lines", []string{"data: \"" + repeat("x", 2000) + "\"\r\n: " + repeat("y", 511) + "\r\r"},
			[]string{"aside / " + repeat("y", 511), "aside " + repeat("x", 2000)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := []byte(strings.Join(tc.events, ""))
			check := func(parts ...[]byte) {
				t.Helper()
				evs, err := readAll(chat(t).ReadStream(DefaultLimits()), parts...)
				if err != nil {
					t.Fatal(err)
				}
				var raw []string
				for _, ev := range evs {
					raw = append(raw, string(ev.Raw))
				}
				if !slices.Equal(raw, tc.events) {
					t.Errorf("cut into %q", raw)
				}
				wantLines(t, describeAll(evs), tc.want)
			}
			for i := range len(all) + 1 {
				check(all[:i], all[i:])
			}
			check(slices.Collect(slices.Chunk(all, 1))...)
		})
	}
}

// Lines of fields that the standard does not know are refused: another reader of
// the body may find in them what we do not.
func TestUnknownFields(t *testing.T) {
	for _, body := range []string{
		"DATA: \"a\"\n\n", " data: \"a\"\n\n", "data : \"a\"\n\n", "datum\n\n", "{\"choices\":[]}", "{\n  \"choices\": []\n}\n",
		"\n\xef\xbb\xbfdata: \"a\"\n\n", "events: e\n\n",
	} {
		_, err := readAll(chat(t).ReadStream(DefaultLimits()), []byte(body))
		if FaultOf(err) != Malformed || err == nil {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestEventLimit(t *testing.T) {
	limits := Limits{Event: 20, Depth: 4, Places: 4}
	for _, tc := range []struct {
		name string
		body string
		ok   bool
	}{
		{"at the limit", ": " + repeat("x", 16) + "\n\n", true},
		{"over it", ": " + repeat("x", 17) + "\n\n", false},
		{"at the limit, CR", ": " + repeat("x", 16) + "\r\r", true},
		{"over it, CR", ": " + repeat("x", 17) + "\r\r", false},
		{"over it, CRLF", ": " + repeat("x", 15) + "\r\n\r\n", false},
		{"at the limit, not closed", ": " + repeat("x", 18), true},
		{"over it, not closed", ": " + repeat("x", 19), false},
		{"far over it", ": " + repeat("x", 1000) + "\n\n", false},
		{"many", repeat(": "+repeat("x", 16)+"\n\n", 50), true},
		{"many, then one over it", repeat(": "+repeat("x", 16)+"\n\n", 50) + repeat("x", 19) + "\n\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, size := range []int{1, 7, 20, 21, 10000} {
				evs, err := readAll(chat(t).ReadStream(limits), slices.Collect(slices.Chunk([]byte(tc.body), size))...)
				if tc.ok && err != nil {
					t.Errorf("by %d: %v", size, err)
				}
				if many := strings.HasPrefix(tc.name, "many"); many && len(evs) != 50 {
					t.Errorf("by %d: %d events, want all 50 that fit", size, len(evs))
				}
				if !tc.ok {
					wantFault(t, err, TooLarge, 20)
				}
			}
		})
	}
}

// What has been freed is used again and must not show in later events.
func TestFree(t *testing.T) {
	r := chat(t).ReadStream(DefaultLimits())
	long := chunk(`{"index":3,"delta":{"content":"a\u0062c","thinking":"d"},"finish_reason":"stop","token_ids":[1]}`)
	evs, err := r.Feed([]byte(long), nil)
	if err != nil {
		t.Fatal(err)
	}
	first := evs[0]
	r.Free(first)
	evs, err = r.Feed([]byte(chunk(`{"delta":{"content":"x\u0079"}}`)), evs[:0])
	if err != nil {
		t.Fatal(err)
	}
	if evs[0] != first {
		t.Fatal("the event is not used again")
	}
	wantLines(t, describeAll(evs), []string{"content 0 xy"})
	if len(first.shadows) != 0 || len(first.closed) != 0 || !slices.Equal(first.open, []int32{0}) {
		t.Error("something of the freed event is left")
	}
}

// Line ends of one kind must not have the buffer searched for the other kind
// again and again: without that this test takes many seconds.
func TestManyLines(t *testing.T) {
	const n = 1 << 20
	for _, end := range []string{"\r", "\n"} {
		evs := mustRead(t, chat(t).ReadStream(DefaultLimits()), repeat(end, n))
		if len(evs) != n {
			t.Errorf("%q: %d events, want %d", end, len(evs), n)
		}
	}
}
