package dataplane

import (
	"encoding/json"
	"fmt"
	"strings"
)

// dialect is how one API says what all of them can say.
type dialect struct {
	name, path string
	// request asks with the given words; members are more of the request's.
	request func(words string, members ...string) string
	// answer is a whole response with the given words.
	answer func(words string) string
	// events are those of a stream with the given words, one of them for each
	// and some before and behind; nil where the API has no streams.
	events func(words ...string) []string
	// ended is the end of a stream that was blocked behind its first words, up to
	// the error object, and what follows that.
	ended, tail string
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

// named is an event that has a type. members are JSON.
func named(typ, members string) string {
	if members != "" {
		members = "," + members
	}
	return fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}\n\n", typ, typ, members)
}

func object(members []string, more ...string) string {
	return "{" + strings.Join(append(members, more...), ",") + "}"
}

// dialects are those of the APIs in which a model speaks.
func dialects() []dialect {
	return []dialect{
		{
			name: "chat_completions", path: chatPath,
			request: func(words string, members ...string) string { return prompt(words, members...) },
			answer:  func(words string) string { return completion(words) },
			events: func(words ...string) []string {
				events := []string{chunk(0, role, "null")}
				for _, w := range words {
					events = append(events, said(0, w))
				}
				return append(events, chunk(0, "{}", `"stop"`), done)
			},
			ended: `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}` + "\n\ndata: ",
			tail:  "\n\n",
		},
		{
			name: "completions", path: "/v1/completions",
			request: func(words string, members ...string) string {
				return object(members, `"model":"m"`, `"prompt":`+quoted(words))
			},
			answer: func(words string) string {
				return `{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":` + quoted(words) + `,"finish_reason":"stop"}]}`
			},
			events: func(words ...string) (events []string) {
				text := func(words, finish string) string {
					return `data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":` + quoted(words) + `,"finish_reason":` + finish + "}]}\n\n"
				}
				for _, w := range words {
					events = append(events, text(w, "null"))
				}
				return append(events, text("", `"stop"`), done)
			},
			ended: `data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"","finish_reason":"content_filter"}]}` + "\n\ndata: ",
			tail:  "\n\n",
		},
		{
			name: "responses", path: "/v1/responses",
			request: func(words string, members ...string) string {
				return object(members, `"model":"m"`, `"input":`+quoted(words))
			},
			answer: func(words string) string { return responseObject("completed", words) },
			events: responseEvents,
			ended: named("response.incomplete", `"sequence_number":5,"response":{"id":"resp_1","object":"response","created_at":1,"status":"incomplete",`+
				`"incomplete_details":{"reason":"content_filter"},"error":null,"instructions":null,"model":"m","output":[],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"metadata":{}}`) +
				"event: error\ndata: ",
			tail: "\n\n",
		},
		{
			name: "messages", path: "/v1/messages",
			request: func(words string, members ...string) string {
				return object(members, `"model":"m"`, `"max_tokens":100`, `"messages":[{"role":"user","content":`+quoted(words)+`}]`)
			},
			answer: func(words string) string {
				return `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":` + quoted(words) +
					`}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`
			},
			events: messageEvents,
			ended: named("content_block_stop", `"index":0`) +
				named("message_delta", `"delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{"output_tokens":0}`) + "event: error\ndata: ",
			tail: "\n\n",
		},
	}
}

func responseObject(status, words string) string {
	return `{"id":"resp_1","object":"response","created_at":1,"status":"` + status + `","error":null,"incomplete_details":null,"instructions":null,"model":"m","output":[` +
		responseItem(words) + `],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"metadata":{},"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`
}

func responseItem(words string) string {
	return `{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[` + responsePart(words) + `]}`
}

func responsePart(words string) string {
	return `{"type":"output_text","text":` + quoted(words) + `,"annotations":[],"logprobs":[]}`
}

func responseEvents(words ...string) (events []string) {
	add := func(typ, members string) {
		events = append(events, named(typ, fmt.Sprintf(`"sequence_number":%d,%s`, len(events), members)))
	}
	const at = `"item_id":"msg_1","output_index":0,"content_index":0,`
	all := strings.Join(words, "")
	created := `"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"m","output":[],"tools":[],"metadata":{}}`
	add("response.created", created)
	add("response.in_progress", created)
	add("response.output_item.added", `"output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","status":"in_progress","content":[]}`)
	add("response.content_part.added", at+`"part":`+responsePart(""))
	for _, w := range words {
		add("response.output_text.delta", at+`"logprobs":[],"delta":`+quoted(w))
	}
	add("response.output_text.done", at+`"logprobs":[],"text":`+quoted(all))
	add("response.content_part.done", at+`"part":`+responsePart(all))
	add("response.output_item.done", `"output_index":0,"item":`+responseItem(all))
	add("response.completed", `"response":`+responseObject("completed", all))
	return events
}

func messageEvents(words ...string) []string {
	events := []string{
		named("message_start", `"message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`),
		named("content_block_start", `"index":0,"content_block":{"type":"text","text":""}`),
		named("ping", ""),
	}
	for _, w := range words {
		events = append(events, named("content_block_delta", `"index":0,"delta":{"type":"text_delta","text":`+quoted(w)+`}`))
	}
	return append(events,
		named("content_block_stop", `"index":0`),
		named("message_delta", `"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}`),
		named("message_stop", ""))
}

// stream is all of a stream with the given words.
func (d dialect) stream(words ...string) string { return strings.Join(d.events(words...), "") }

// begun is how many events of a stream come before its first words.
func (d dialect) begun() int {
	for i, e := range d.events("first words") {
		if strings.Contains(e, "first words") {
			return i
		}
	}
	return 0
}
