package dataplane

import (
	"fmt"
	"strings"
)

// calling is a dialect in which the model calls a tool, with the words as the
// argument q.
func calling(d dialect) dialect {
	arguments := func(words string) string { return `{"q":"` + words + `"}` }
	said := func(words []string) []string {
		said := append([]string(nil), words...)
		said[0] = `{"q":"` + said[0]
		said[len(said)-1] += `"}`
		return said
	}
	switch d.name {
	case "chat_completions":
		call := func(words string) string {
			return `"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":` + quoted(words) + `}}]`
		}
		d.answer = func(words string) string {
			return `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,` +
				call(arguments(words)) + `},"finish_reason":"tool_calls"}]}`
		}
		d.events = func(words ...string) []string {
			events := []string{chunk(0, `{"role":"assistant","content":null,`+call("")+"}", "null")}
			for _, w := range said(words) {
				events = append(events, chunk(0, `{"tool_calls":[{"index":0,"function":{"arguments":`+quoted(w)+`}}]}`, "null"))
			}
			return append(events, chunk(0, "{}", `"tool_calls"`), done)
		}
	case "responses":
		item := func(words string) string {
			return `{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"f","arguments":` + quoted(words) + `}`
		}
		response := func(words string) string {
			return strings.Replace(responseObject("completed", "x"), responseItem("x"), item(words), 1)
		}
		d.answer = func(words string) string { return response(arguments(words)) }
		d.events = func(words ...string) (events []string) {
			const at = `"item_id":"fc_1","output_index":0,`
			add := func(typ, members string) {
				events = append(events, named(typ, fmt.Sprintf(`"sequence_number":%d,%s`, len(events), members)))
			}
			all := arguments(strings.Join(words, ""))
			add("response.created", `"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"m","output":[],"tools":[],"metadata":{}}`)
			add("response.output_item.added", `"output_index":0,"item":`+item(""))
			for _, w := range said(words) {
				add("response.function_call_arguments.delta", at+`"delta":`+quoted(w))
			}
			add("response.function_call_arguments.done", at+`"name":"f","arguments":`+quoted(all))
			add("response.output_item.done", `"output_index":0,"item":`+item(all))
			add("response.completed", `"response":`+response(all))
			return events
		}
	default: // messages
		d.answer = func(words string) string {
			return `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":` + arguments(words) +
				`}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`
		}
		d.events = func(words ...string) []string {
			events := messageEvents()
			start, end := events[:1], events[len(events)-3:]
			end[1] = strings.Replace(end[1], "end_turn", "tool_use", 1)
			events = append(append([]string(nil), start...), named("content_block_start", `"index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}`))
			for _, w := range said(words) {
				events = append(events, named("content_block_delta", `"index":0,"delta":{"type":"input_json_delta","partial_json":`+quoted(w)+`}`))
			}
			return append(events, end...)
		}
	}
	return d
}

func callsTools(d dialect, _ string) bool {
	return d.request != nil && d.name != "completions"
}
