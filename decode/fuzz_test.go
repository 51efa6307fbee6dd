package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"
)

// fuzzLimits are small, so that inputs reach them.
var fuzzLimits = Limits{Body: 4096, Event: 512, Depth: 12, Places: 16}

var errorForm = regexp.MustCompile(`^body is (malformed|duplicate|ambiguous|invalid_utf8|too_deep|too_large|unreadable|elsewhere) at byte \d+$`)

// checkError says whether err is of the only form that holds nothing of the
// input: a fault of the closed set and an offset within the input's limits.
func checkError(t *testing.T, err error, size int) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || errors.Unwrap(err) != nil || err.Error() != e.Error() {
		t.Fatalf("an error of another kind: %T", err)
	}
	if !errorForm.MatchString(err.Error()) || e.Offset < 0 || e.Offset > max(size, fuzzLimits.Body) {
		t.Errorf("error of another form: %v", err)
	}
	return e
}

func streamSeeds() []string {
	return []string{
		"data: {\"id\":\"i\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"night\"}}]}\n\ndata: [DONE]\n\n",
		"\xef\xbb\xbfdata:{\"choices\":[{\"index\":1,\"delta\":{\"thinking\":\"j\\u0061r\"},\"finish_reason\":\"stop\"}]}\r\n\r\n",
		": ping\r\revent: e\rid: 1\rdata: {\"a\":\rdata: [\"é€😀\"]}\r\r",
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":3,\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"q\\\"\"}}]}}]}\n\r\n\n\ndata",
		"data: {\"choices\":[{\"delta\":{\"reasoning_details\":[{\"text\":\"a\",\"index\":1}],\"content\":[{\"type\":\"text\",\"text\":\"b\"}]}}]}\n\n",
		"data: {\"error\":{\"message\":\"m\"}}\n\n:\xff\n\n",
		"data: {\"a\":1,\"\\u0061\":2}\n\n",
		"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"i\",\"content\":[]}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n",
		"event: content_block_stop\ndata: {\"index\":1,\"type\":\"content_block_stop\"}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
		"event: a\ndata: {\"type\":\"b\"}\n\n", "event: a\nevent: b\ndata: {}\n\n", "event: a\n\n",
		"data: {\"output_index\":1,\"delta\":\"a\",\"type\":\"response.output_text.delta\",\"x\":{\"y\":\"z\"}}\n\n",
		"data: {\"type\":\"response.completed\",\"sequence_number\":4,\"response\":{\"id\":\"r\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"t\"}]}]}}\n\n",
		"data: \"\\ud800\"\n\n",
		repeat("data: {}\n", 80),
		repeat(":\r", 300),
		"data: [[[[[[[[[[[[[[]]]]]]]]]]]]]]",
	}
}

// FuzzStreamSplits: however the bytes of a stream are split, and whether or not
// events are used again, they give the same events, text and errors.
func FuzzStreamSplits(f *testing.F) {
	seeds := streamSeeds()
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	apis := slices.DeleteFunc(APIs(), func(a *API) bool { return !a.Streams() })
	for i, s := range seeds {
		for api := range apis {
			f.Add([]byte(s), []byte{0}, uint(api))
			f.Add([]byte(s), []byte{byte(i), 3, 200, 0}, uint(api))
		}
	}
	f.Fuzz(func(t *testing.T, body, sizes []byte, api uint) {
		a := apis[api%uint(len(apis))]
		evs, wholeErr := readAll(a.ReadStream(fuzzLimits), body)
		var raw []byte
		var want []string
		for _, ev := range evs {
			raw = append(raw, ev.Raw...)
			want = append(want, describeEvent(ev))
		}
		if wholeErr == nil && !bytes.Equal(raw, body) {
			t.Errorf("the events' bytes are not the stream's: %q", raw)
		}

		r := a.ReadStream(fuzzLimits)
		var got []string
		take := func(evs []*Event, err error) error {
			for _, ev := range evs {
				got = append(got, describeEvent(ev))
				r.Free(ev)
			}
			return err
		}
		var err error
		for i, rest := 0, body; len(rest) > 0 && err == nil; i++ {
			n := len(rest)
			if len(sizes) > 0 {
				n = min(n, int(sizes[i%len(sizes)])+1)
			}
			part := bytes.Clone(rest[:n])
			err = take(r.Feed(part, nil))
			clear(part) // readers keep nothing of it
			rest = rest[n:]
		}
		if err == nil {
			err = take(r.End(nil))
		}
		if (err == nil) != (wholeErr == nil) {
			t.Fatalf("whole: %v, split: %v", wholeErr, err)
		}
		if err != nil {
			if a, b := checkError(t, wholeErr, len(body)), checkError(t, err, len(body)); *a != *b {
				t.Errorf("whole: %v, split: %v", wholeErr, err)
			}
		}
		if !slices.Equal(got, want) { // those before a fault, too
			t.Errorf("split:\n%q\nwhole:\n%q", got, want)
		}
	})
}

// describeEvent writes all that an event holds.
func describeEvent(ev *Event) string {
	return fmt.Sprintf("%q %q %q %v %v %v", ev.Raw, describeAll([]*Event{ev}), ev.Render(nil, nil, true), ev.open, ev.closed, ev.envelope)
}

func bodySeeds() []string {
	return []string{
		`{"messages":[{"role":"user","content":"a nightjar\u0020\ud83d\ude00\n"}]}`,
		`{"messages":[{"content":[{"type":"text","text":"é€😀"},{"text":"b","type":"text","x":"y"},"c"],"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]}]}`,
		`{"tools":[{"type":"function","function":{"name":"n","description":"d","parameters":{"a":["b"]}}}],"prediction":{"content":"p"}}`,
		`{"prompt":["a","b\u00e9"],"suffix":"s"}`, `{"prompt":[1,2]}`, `{"input":[[1],"a"]}`,
		`{"input":[{"role":"user","content":[{"text":"a","type":"input_text"}]},{"type":"function_call_output","output":"o"},"s"],"instructions":"i"}`,
		`{"output":[{"id":"x","type":"reasoning","summary":[{"type":"summary_text","text":"s"}]},{"type":"message","content":[{"type":"output_text","text":"t"}]}]}`,
		`{"system":[{"type":"text","text":"a"}],"messages":[{"content":[{"type":"tool_result","content":[{"type":"text","text":"b"}]},{"type":"thinking","thinking":"c","signature":"d"}]}]}`,
		`{"type":"message","content":[{"type":"text","text":"a"},{"type":"tool_use","name":"n","input":{"a":["b"]}}],"stop_reason":"end_turn"}`,
		`{"choices":[{"index":1,"message":{"content":"c","reasoning":"r"},"logprobs":{"content":[{"token":"t","top_logprobs":[{"token":"u"}]}]},"token_ids":[1]}]}`,
		`{"m\u0065ssages":[{"c\u006fntent":"\"\\\/\b\f\n\r\t"}],"Messages":{"":""}}`,
		`{"messages":[{"content":[{"type":"image_url"}]}]}`, `{"messages":[{"audio":1}]}`,
		`{"a":1,"a":2}`, `{"a":"\ud800"}`, `"` + "\xff" + `"`, ` "a" `, `[[[[[[[[[[[[[[]]]]]]]]]]]]]]`, `{}}`, ``, "\xef\xbb\xbf{}", `nul`,
	}
}

// FuzzBody: a body that is read holds every string that encoding/json finds in
// it, each piece comes from where it says, and edits change that alone.
func FuzzBody(f *testing.F) {
	seeds := bodySeeds()
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	apis := APIs()
	for _, s := range seeds {
		for i := range apis {
			f.Add([]byte(s), true, uint(i), uint(1), 1, 3)
			f.Add([]byte(s), false, uint(i), uint(3), 0, 1)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, request bool, api, piece uint, from, to int) {
		a := apis[api%uint(len(apis))]
		if request && !a.HasBody() {
			return
		}
		read, r := a.ReadResponse, a.response
		if request {
			read, r = a.ReadRequest, a.request
		}
		evs, err := readAll(read(fuzzLimits), body)
		if err != nil {
			e := checkError(t, err, len(body))
			if e.Fault == Malformed && json.Valid(body) && !bytes.Contains(body, []byte(`\u`)) {
				t.Errorf("valid JSON is refused: %v", err)
			}
			return
		}
		ev := evs[0]
		if !bytes.Equal(ev.Raw, body) || !bytes.Equal(ev.Render(nil, nil, false), body) {
			t.Fatal("bytes changed without an edit")
		}
		checkStrings(t, ev, knownNames(r, map[string]bool{}, map[*rule]bool{}))
		for i := range ev.Pieces {
			p := &ev.Pieces[i]
			if got := unquote(t, ev.Raw[p.start:p.end]); got != string(p.Text) || got == "" {
				t.Errorf("%q is not the source of %q", ev.Raw[p.start:p.end], p.Text)
			}
		}
		if len(ev.Pieces) > 0 {
			checkEdit(t, ev, Edit{int(piece % uint(len(ev.Pieces))), from, to, redacted})
		}
		if got := ev.Render(nil, nil, true); !json.Valid(got) {
			t.Errorf("not JSON without shadows: %s", got)
		}
	})
}

func unquote(t *testing.T, inside []byte) (s string) {
	t.Helper()
	if err := json.Unmarshal(slices.Concat([]byte(`"`), inside, []byte(`"`)), &s); err != nil {
		t.Fatalf("%q is no string's inside", inside)
	}
	return s
}

func checkEdit(t *testing.T, ev *Event, ed Edit) {
	t.Helper()
	p := &ev.Pieces[ed.Piece]
	got := ev.Render(nil, []Edit{ed}, false)
	head, tail := ev.Raw[:p.start], ev.Raw[p.end:]
	if !bytes.HasPrefix(got, head) || !bytes.HasSuffix(got, tail) || len(got) < len(head)+len(tail) || !json.Valid(got) {
		t.Fatalf("an edit of %d:%d changed %q to %q", p.start, p.end, ev.Raw, got)
	}
	from, to := p.within(ed.From, ed.To)
	want := string(p.Text[:from]) + ed.Insert + string(p.Text[to:])
	if edited := unquote(t, got[len(head):len(got)-len(tail)]); edited != want {
		t.Errorf("edited text is %q, want %q", edited, want)
	}
}

// checkStrings compares the event's pieces with the strings that encoding/json
// finds: no value may be left out, and no name but known ones.
func checkStrings(t *testing.T, ev *Event, known map[string]bool) {
	t.Helper()
	ends := map[int]bool{}
	for _, p := range ev.Pieces {
		if !p.Place.Glued {
			if ends[p.end] {
				t.Errorf("two pieces end at %d", p.end)
			}
			ends[p.end] = true
		}
	}
	dec := json.NewDecoder(bytes.NewReader(ev.Raw))
	dec.UseNumber()
	var objects []bool // whether each open value is an object
	name := false      // a name comes next, if the token is no bracket
	found := 0
	for {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				objects = append(objects, v == '{')
			} else {
				objects = objects[:len(objects)-1]
			}
			name = len(objects) > 0 && objects[len(objects)-1]
			continue
		case string:
			piece := ends[int(dec.InputOffset())-1]
			if piece {
				found++
			}
			if !piece && v != "" && (!name || !known[v]) {
				t.Errorf("%q is left out", v)
			}
		}
		name = len(objects) > 0 && objects[len(objects)-1] && !name
	}
	if found != len(ends) {
		t.Errorf("%d pieces, %d strings among them", len(ends), found)
	}
}

// knownNames are the names of members that stand anywhere in a description.
func knownNames(r *rule, names map[string]bool, seen map[*rule]bool) map[string]bool {
	if r == nil || seen[r] {
		return names
	}
	seen[r] = true
	for name, member := range r.members {
		names[name] = true
		knownNames(member, names, seen)
	}
	for _, v := range r.variants {
		knownNames(v, names, seen)
	}
	return knownNames(r.items, names, seen)
}

// FuzzErrors: whatever is fed to whichever reader, an error is of the one form.
func FuzzErrors(f *testing.F) {
	seeds := append(bodySeeds(), streamSeeds()...)
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, r := range []Reader{chat(t).ReadRequest(fuzzLimits), chat(t).ReadResponse(fuzzLimits), chat(t).ReadStream(fuzzLimits)} {
			if evs, err := readAll(r, body); err != nil {
				_ = checkError(t, err, len(body))
				if stream := i == 2; evs != nil && !stream {
					t.Error("events beside an error")
				}
			}
		}
	})
}
