package decode

import (
	"strings"
	"testing"
)

// chunk is an event with one choice.
func chunk(choice string) string { return `data: {"choices":[` + choice + "]}\n\n" }

func TestStreamText(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       []string
	}{
		{"a usual stream", `data: {"id":"i","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}` + "\n\n" +
			chunk(`{"index":0,"delta":{"content":"night"}}`) + chunk(`{"index":0,"delta":{"content":"jar"}}`) +
			chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`) +
			`data: {"choices":[],"usage":{"total_tokens":3}}` + "\n\ndata: [DONE]\n\n",
			[]string{"other i", "other chat.completion.chunk", "other m", "other assistant", "content 0 night", "content 0 jar", "other stop"}},
		{"interleaved choices", chunk(`{"index":1,"delta":{"content":"a"}},{"delta":{"content":"b"},"index":0}`) + chunk(`{"index":1,"delta":{"content":"c"}}`),
			[]string{"content 1 a", "content 0 b", "content 1 c"}},
		{"choices without index", chunk(`{"delta":{"content":"a"}},{"delta":{"content":"b"}},{"index":null,"delta":{"content":"c"}}`),
			[]string{"content 0 a", "content 1 b", "content 2 c"}},
		{"an index below a choice is not the choice's", chunk(`{"index":2,"delta":{"content":"a","a":{"index":5,"b":"b"},"x":[[{"index":6}]]}}`),
			[]string{"content 2 a", "unknown 2 delta.a.b b"}},
		{"tool calls", chunk(`{"index":1,"delta":{"tool_calls":[{"index":2,"id":"i","type":"function","function":{"name":"f","arguments":""}}]}}`) +
			chunk(`{"delta":{"tool_calls":[{"function":{"arguments":"{}"},"index":2}]},"index":1}`),
			[]string{"other i", "other function", "tool_name 1.2 f", "tool_arguments 1.2 {}"}},
		{"reasoning, refusal, function call", chunk(`{"delta":{"reasoning":"a","reasoning_content":"b","refusal":"c","function_call":{"name":"d","arguments":"e"}}}`),
			[]string{"reasoning 0 a", "reasoning_content 0 b", "refusal 0 c", "tool_name 0 d", "tool_arguments 0 e"}},
		{"parts go on where the last event left off", chunk(`{"delta":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}`) +
			chunk(`{"delta":{"content":[{"type":"text","text":"c"}]}}`),
			[]string{"content 0 a", "content 0 b", "content 0 c"}},
		{"log probabilities", chunk(`{"delta":{},"logprobs":{"content":[{"token":"a","top_logprobs":[{"token":"b"}]}]}}`),
			[]string{"logprobs 0 a", "other b"}},

		{"unknown members go on over events", chunk(`{"index":3,"delta":{"thinking":"night"}}`) + chunk(`{"index":3,"delta":{"thinkin\u0067":"jar"},"text":"t"}`),
			[]string{"unknown 3 delta.thinking night", "unknown 3 delta.thinking jar", "unknown 3 text t"}},
		{"unknown names stand alone", chunk(`{"delta":{"thinking":"a"}}`), []string{"other thinking", "unknown 0 delta.thinking a"}},
		{"what is known to hold no words stands alone", chunk(`{"delta":{"role":"a","tool_calls":[{"id":"b","type":"c"}]},"finish_reason":"d","stop_reason":"e","matched_stop":"f"}`),
			[]string{"other a", "other b", "other c", "other d", "other e", "other f"}},
		{"lists of unknown objects", chunk(`{"delta":{"reasoning_details":[{"type":"reasoning.text","id":"i","format":"f","text":"a"},{"text":"b","summary":"c"}]}}`),
			[]string{"other reasoning_details", "other reasoning.text", "other i", "other f", "other text", "unknown 0 delta.reasoning_details.text a",
				"other text", "unknown 0 delta.reasoning_details.text b", "other summary", "unknown 0 delta.reasoning_details.summary c"}},
		{"lists of unknown objects with an index", chunk(`{"delta":{"reasoning_details":[{"text":"a","index":1},{"index":0,"text":"b"}]}}`) +
			chunk(`{"delta":{"reasoning_details":[{"index":1,"text":"c"}]}}`),
			[]string{"unknown 0 delta.reasoning_details#1.text a", "unknown 0 delta.reasoning_details#0.text b", "unknown 0 delta.reasoning_details#1.text c"}},
		{"lists in lists", chunk(`{"delta":{"a":[{"index":1,"b":[{"c":"d","index":2}]}]}}`), []string{"unknown 0 delta.a#1.b#2.c d"}},
		{"an index that is none", chunk(`{"delta":{"a":[{"index":"x","b":"c"},{"index":-1,"b":"d"},{"index":{"e":1},"b":"f"}]}}`),
			[]string{"unknown 0 delta.a.b c", "unknown 0 delta.a.b d", "unknown 0 delta.a.b f"}},
		{"unknown member of a tool call", chunk(`{"delta":{"tool_calls":[{"note":"a","index":4}]}}`), []string{"unknown 0.4 delta.tool_calls.note a"}},
		{"known members of another form", chunk(`{"delta":{"content":{"words":"a"},"reasoning":["b"],"tool_calls":"c","role":{"words":"d"}},"logprobs":"e","token_ids":["f"]}`) +
			chunk(`{"delta":"g"}`),
			[]string{"unknown 0 delta.content.words a", "unknown 0 delta.reasoning b", "unknown 0 delta.tool_calls c", "unknown 0 delta.role.words d",
				"unknown 0 logprobs e", "unknown 0 token_ids f", "unknown 0 delta g"}},
		{"a message in a stream", chunk(`{"message":{"role":"assistant","content":"a"}}`), []string{"other message", "other assistant", "other content", "unknown 0 message.content a"}},

		{"outside of choices", `data: {"note":"a","error":{"message":"b"},"choices":{"delta":"c"}}` + "\n\n",
			[]string{"other note", "aside a", "other error", "other message", "aside b", "other delta", "aside c"}},
		{"not an object", "data: \"a\"\n\ndata: [\"b\"]\n\n", []string{"aside a", "aside b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantLines(t, describeAll(mustRead(t, chat(t).ReadStream(DefaultLimits()), tc.body)), tc.want)
		})
	}
}

func TestStreamRefused(t *testing.T) {
	limits := Limits{Body: 10, Event: 200, Depth: 10, Places: 4}
	for _, tc := range []struct {
		name, body string
		fault      Fault
		offset     int
	}{
		{"not JSON", "data: nightjar\n\n", Malformed, -1},
		{"words behind the end mark", "data: [DONE] nightjar\n\n", Malformed, -1},
		{"end mark on the second line", "data\ndata: [DONE]\n\n", Malformed, -1},
		{"two values", "data: {}\ndata: {}\n\n", Malformed, -1},
		{"string over two lines", "data: {\"a\":\"b\ndata: c\"}\n\n", Malformed, -1},
		{"duplicate", "data: {\"a\":1,\ndata: \"a\":2}\n\n", Duplicate, 12},
		{"invalid UTF-8 in a comment", ": \xff\n\n", InvalidUTF8, 2},
		{"offset is in the event", "\n\ndata: \xff\n\n", InvalidUTF8, 6},
		{"audio", chunk(`{"delta":{"audio":{"data":"aa"}}}`), Unreadable, -1},
		{"negative index", chunk(`{"index":-1}`), Malformed, -1},
		{"index that is no number", chunk(`{"index":"0"}`), Malformed, -1},
		{"index beyond the limit", chunk(`{"index":4}`), TooLarge, -1},
		{"call's index beyond the limit", chunk(`{"delta":{"tool_calls":[{"index":4}]}}`), TooLarge, -1},
		{"unknown index beyond the limit", chunk(`{"delta":{"a":[{"index":4}]}}`), TooLarge, -1},
		{"too many choices", chunk(`{},{},{},{},{}`), TooLarge, -1},
		{"too many lines", repeat(":\n", 4*stringsPerPlace+1) + "\n", TooLarge, -1},
		{"last event is not whole", `data: {"choices":`, Malformed, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			evs, err := readAll(chat(t).ReadStream(limits), []byte(tc.body))
			// Only the blank lines before it come beside the error.
			var raw []byte
			for _, ev := range evs {
				raw = append(raw, ev.Raw...)
			}
			if before := tc.body[:len(tc.body)-len(strings.TrimLeft(tc.body, "\n"))]; string(raw) != before {
				t.Errorf("events %q beside the error, want %q", raw, before)
			}
			wantFault(t, err, tc.fault, tc.offset)
		})
	}
}

func TestWords(t *testing.T) {
	for _, tc := range []struct {
		body string
		want bool
	}{
		{chunk(`{"delta":{"role":"assistant"}}`), false},
		{chunk(`{"delta":{"role":"assistant","content":""}}`), false},
		{": comment\n\n", false},
		{"data: [DONE]\n\n", false},
		{"\n", false},
		{chunk(`{"delta":{"content":"a"}}`), true},
		{chunk(`{"delta":{"thinking":"a"}}`), true},
		{chunk(`{"delta":{"tool_calls":[{"function":{"name":"a"}}]}}`), true},
	} {
		evs := mustRead(t, chat(t).ReadStream(DefaultLimits()), tc.body)
		if len(evs) != 1 || evs[0].Words() != tc.want {
			t.Errorf("%q: want words %v", tc.body, tc.want)
		}
	}
}

// A large event leaves no large buffer behind.
func TestNothingLargeIsKept(t *testing.T) {
	s := newStream(chatCompletions(), DefaultLimits())
	for _, text := range []string{"hello", strings.Repeat("long ", 1<<20), "hello"} {
		events, err := s.Feed([]byte(`data: {"choices":[{"index":0,"delta":{"content":"`+text+`"}}]}`+"\n\ndata: "), nil)
		if err == nil {
			events, err = s.Feed([]byte("{}\n\n"), events)
		}
		if err != nil || len(events) != 2 || string(events[1].Raw) != "data: {}\n\n" {
			t.Fatal(len(events), err)
		}
		for _, ev := range events {
			s.Free(ev)
		}
	}
	if n := cap(s.buf) + cap(s.joined); n > 2*keptBuffer {
		t.Errorf("%d bytes", n)
	}
}
