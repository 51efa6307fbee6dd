package decode

import (
	"slices"
	"testing"
)

func named(t testing.TB, name string) *API {
	t.Helper()
	apis := allAPIs()
	i := slices.IndexFunc(apis, func(a *API) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("no API %s", name)
	}
	return apis[i]
}

// typed is an event that has a type.
func typed(typ, members string) string {
	return "event: " + typ + "\ndata: {\"type\":\"" + typ + "\"" + members + "}\n\n"
}

// The words of each API, with what they belong to.
func TestSurfaces(t *testing.T) {
	for _, tc := range []struct {
		api, name, body string
		read            func(*API, Limits) Reader
		want            []string
	}{
		{"completions", "prompt", `{"prompt":"a","suffix":"b","echo":true}`, (*API).ReadRequest, []string{"prompt a", "suffix b"}},
		{"completions", "prompts", `{"prompt":["a","b"]}`, (*API).ReadRequest, []string{"prompt 0 a", "prompt 1 b"}},
		{"completions", "unknown member", `{"prompt":"a","extra":{"x":["y"]}}`, (*API).ReadRequest,
			[]string{"prompt a", "other extra", "other x", "other y"}},
		{"completions", "answer", `{"id":"i","choices":[{"index":0,"text":"a","finish_reason":"stop"},{"text":"b"}]}`, (*API).ReadResponse,
			[]string{"content 0 a", "content 1 b"}},
		{"completions", "tokens", `{"choices":[{"text":"ab","logprobs":{"tokens":["a","b"],"top_logprobs":[{"c":-1}]}}]}`, (*API).ReadResponse,
			[]string{"content 0 ab", "logprobs 0 a", "logprobs 0 b", "other top_logprobs", "other c"}},
		{"completions", "stream", `data: {"choices":[{"index":1,"text":"a"}]}` + "\n\n" + `data: {"choices":[{"index":1,"text":"b","finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
			(*API).ReadStream, []string{"content 1 a", "content 1 b"}},

		{"embeddings", "input", `{"input":"a"}`, (*API).ReadRequest, []string{"prompt a"}},
		{"embeddings", "inputs", `{"input":["a","b"],"model":"m"}`, (*API).ReadRequest, []string{"prompt 0 a", "prompt 1 b"}},
		{"embeddings", "messages", `{"messages":[{"role":"user","content":"a"}]}`, (*API).ReadRequest, []string{"content 0 a"}},
		{"embeddings", "items", `{"input":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"text":"c"},"d"]}`, (*API).ReadRequest,
			[]string{"content 0 /a", "content 0 /b", "~content 0 a", "~content 0 b", "prompt 1 c", "prompt 2 d"}},
		{"embeddings", "content", `{"content":["a","b"]}`, (*API).ReadRequest, []string{"prompt 0 a", "prompt 1 b"}},
		{"embeddings", "answer", `{"data":[{"embedding":[0.5,-1],"index":0},{"embedding":"AAAA"}],"model":"m"}`, (*API).ReadResponse,
			[]string{"other data", "other embedding", "other index", "other embedding", "other AAAA", "other m"}},

		{"responses", "input", `{"input":"a","instructions":"b"}`, (*API).ReadRequest, []string{"content a", "instructions b"}},
		{"responses", "items", `{"input":[{"role":"user","content":"a"},{"type":"message","role":"user","content":[{"type":"input_text","text":"b"},{"text":"c","type":"input_text"}]}]}`,
			(*API).ReadRequest, []string{"content 0 a", "content 1 /b", "content 1 /c", "~content 1 b", "~content 1 c"}},
		{"responses", "calls", `{"input":[{"type":"function_call","call_id":"i","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"i","output":"o"},` +
			`{"type":"custom_tool_call","name":"c","input":"x"},{"type":"custom_tool_call_output","output":[{"type":"input_text","text":"y"}]}]}`, (*API).ReadRequest,
			[]string{"tool_name 0 f", "tool_arguments 0 {}", "content 1 o", "custom_name 2 c", "custom_input 2 x", "content 3 /y"}},
		{"responses", "reasoning", `{"input":[{"type":"reasoning","summary":[{"type":"summary_text","text":"s"}],"content":[{"type":"reasoning_text","text":"r"}],"encrypted_content":null}]}`,
			(*API).ReadRequest, []string{"reasoning_content 0 /s", "reasoning 0 /r"}},
		{"responses", "tools", `{"tools":[{"type":"function","name":"f","description":"d","parameters":{"x":"y"}},{"type":"custom","name":"g"}]}`, (*API).ReadRequest,
			[]string{"other function", "tool_name .0 f", "tool_description .0 d", "other parameters", "other x", "other y", "other custom", "tool_name .1 g"}},
		{"responses", "tools of a namespace", `{"tools":[{"type":"namespace","name":"n","description":"d","tools":[{"type":"function","name":"f"}]}]}`, (*API).ReadRequest,
			[]string{"tool_name .0 n", "tool_description .0 d", "tool_name .0 f"}},
		{"responses", "items without a type", `{"input":[{"role":"assistant","content":"a","id":"i"},{"type":null,"role":"user","content":"b"}]}`, (*API).ReadRequest, []string{"content 0 a", "content 1 b"}},
		{"responses", "items of the server", `{"input":[{"type":"code_interpreter_call","id":"i","code":"a","outputs":[{"type":"logs","logs":"b"}]},{"type":"web_search_call","content":"c"}]}`, (*API).ReadRequest,
			[]string{"custom_input 0 a", "content 1 c"}},
		{"responses", "answer", `{"id":"r","object":"response","output":[{"type":"message","id":"m","content":[{"type":"output_text","text":"a","annotations":[]},{"type":"refusal","refusal":"b"}]},` +
			`{"type":"function_call","name":"f","arguments":"{}"}],"instructions":"i"}`, (*API).ReadResponse,
			[]string{"content 0.0 a", "content 0.1 b", "tool_name 1 f", "tool_arguments 1 {}"}},
		{"responses", "text from the beginning", typed("response.output_item.added", `,"output_index":3,"item":{"type":"message","content":[{"type":"output_text","text":"a"}]}`) +
			typed("response.content_part.added", `,"output_index":3,"content_index":0,"part":{"type":"output_text","text":"b"}`) +
			typed("response.output_text.delta", `,"output_index":3,"content_index":0,"delta":"c"`) +
			typed("response.output_item.added", `,"output_index":4,"item":{"type":"function_call","name":"f","arguments":"{"}`) +
			typed("response.function_call_arguments.delta", `,"output_index":4,"delta":"}"`) +
			typed("response.output_item.added", `,"item":{"type":"reasoning","summary":[{"type":"summary_text","text":"d"}]},"output_index":5`) +
			typed("response.reasoning_summary_part.added", `,"output_index":5,"summary_index":0,"part":{"type":"summary_text","text":"e"}`) +
			typed("response.reasoning_summary_text.delta", `,"output_index":5,"summary_index":0,"delta":"f"`), (*API).ReadStream,
			[]string{"content 3.0 a", "content 3.0 b", "content 3.0 c", "tool_name 4 f", "tool_arguments 4 {", "tool_arguments 4 }",
				"reasoning_content 5.0 d", "reasoning_content 5.0 e", "reasoning_content 5.0 f"}},
		{"responses", "stream", typed("response.created", `,"sequence_number":0,"response":{"id":"r","instructions":"i"}`) +
			typed("response.output_text.delta", `,"output_index":1,"content_index":0,"delta":"a"`) +
			`data: {"content_index":0,"delta":"b","output_index":1,"type":"response.output_text.delta"}` + "\n\n" +
			typed("response.output_text.done", `,"output_index":1,"content_index":0,"text":"ab"`) +
			typed("response.function_call_arguments.delta", `,"output_index":2,"delta":"{}"`) +
			typed("response.completed", `,"response":{"output":[{"type":"message","content":[{"type":"output_text","text":"ab"}]}]}`),
			(*API).ReadStream, []string{"content 1.0 a", "content 1.0 b", "!content 1.0 ab", "tool_arguments 2 {}", "!content 0.0 ab"}},
		{"responses", "reasoning stream", typed("response.reasoning_summary_text.delta", `,"output_index":0,"summary_index":1,"delta":"a"`) +
			typed("response.reasoning_text.delta", `,"output_index":0,"content_index":0,"delta":"b"`) + typed("response.refusal.delta", `,"output_index":0,"content_index":0,"delta":"c"`),
			(*API).ReadStream, []string{"reasoning_content 0.1 a", "reasoning 0.0 b", "refusal 0.0 c"}},
		{"responses", "reasoning as parts", typed("response.reasoning_part.added", `,"output_index":0,"content_index":0,"part":{"type":"reasoning_text","text":"a"}`) +
			typed("response.reasoning_text.delta", `,"output_index":0,"content_index":0,"delta":"b"`) +
			typed("response.reasoning_part.done", `,"output_index":0,"content_index":0,"part":{"type":"reasoning_text","text":"ab"}`), (*API).ReadStream,
			[]string{"reasoning 0.0 a", "reasoning 0.0 b", "!reasoning 0.0 ab"}},
		{"responses", "a shell's stream", typed("response.shell_call_command.added", `,"output_index":0,"command_index":1,"command":"a"`) +
			typed("response.shell_call_command.delta", `,"output_index":0,"command_index":1,"delta":"b"`) +
			typed("response.shell_call_command.done", `,"output_index":0,"command_index":1,"command":"ab"`) +
			typed("response.shell_call_output_content.done", `,"output_index":0,"command_index":1,"output":[{"stdout":"c"}]`), (*API).ReadStream,
			[]string{"other response.shell_call_command.added", "custom_input 0.1 a", "other response.shell_call_command.delta", "custom_input 0.1 b",
				"other response.shell_call_command.done", "!custom_input 0.1 ab", "other response.shell_call_output_content.done", "other stdout", "other c"}},
		{"responses", "annotations", typed("response.output_text.annotation.added", `,"output_index":0,"annotation":{"title":"a"}`) +
			typed("response.output_text.annotation.added", `,"output_index":0,"annotation":{"title":"b"}`), (*API).ReadStream,
			[]string{"other response.output_text.annotation.added", "other title", "other a", "other response.output_text.annotation.added", "other title", "other b"}},
		{"responses", "earlier messages", `{"previous_input_messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}`, (*API).ReadRequest,
			[]string{"content .0 /a", "content .0 /b", "~content .0 a", "~content .0 b"}},
		{"responses", "unknown events go on", typed("response.new.delta", `,"output_index":3,"delta":"night"`) + typed("response.new.delta", `,"delta":"jar","output_index":3`) +
			typed("response.other.delta", `,"output_index":3,"delta":"x"`), (*API).ReadStream,
			[]string{"unknown 3 new.delta night", "unknown 3 new.delta jar", "unknown 3 other.delta x"}},

		{"messages", "system", `{"system":"a","messages":[{"role":"user","content":"b"}]}`, (*API).ReadRequest, []string{"instructions a", "content 0 b"}},
		{"messages", "blocks", `{"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}],"messages":[{"content":[{"type":"text","text":"b"}]}]}`, (*API).ReadRequest,
			[]string{"instructions /a", "content 0 /b"}},
		{"messages", "tools", `{"tools":[{"name":"f","description":"d","input_schema":{"x":"y"}},{"type":"bash_20250124","name":"bash"},{"type":null,"name":"g"}]}`, (*API).ReadRequest,
			[]string{"tool_name .0 f", "tool_description .0 d", "tool_name .1 bash", "tool_name .2 g"}},
		{"messages", "tool result", `{"messages":[{"content":[{"type":"tool_use","id":"i","name":"f","input":{"x":"y"}}]},{"content":[{"type":"tool_result","tool_use_id":"i","content":"a"}]}]}`,
			(*API).ReadRequest, []string{"tool_name 0 /f", "content 1 /a"}},
		{"messages", "document of text", `{"messages":[{"content":[{"type":"document","title":"t","source":{"type":"text","media_type":"text/plain","data":"a"}}]}]}`,
			(*API).ReadRequest, []string{"name 0 /t", "content 0 /a", "~name 0 t", "~content 0 a"}},
		{"messages", "tools to come", `{"messages":[{"content":[{"type":"tool_addition","tool":{"type":"tool_definition","definition":{"name":"f","description":"d"}}}]}]}`,
			(*API).ReadRequest, []string{"tool_name 0 /f", "tool_description 0 /d", "~tool_name 0 f", "~tool_description 0 d"}},
		{"messages", "thinking", `{"messages":[{"content":[{"type":"thinking","thinking":"a","signature":"s"}]}]}`, (*API).ReadRequest, []string{"reasoning 0 /a"}},
		{"messages", "answer", `{"type":"message","content":[{"type":"text","text":"a"},{"type":"tool_use","name":"f","input":{"x":"y"}}],"stop_reason":"end_turn"}`, (*API).ReadResponse,
			[]string{"content 0 a", "tool_name 1 f"}},
		{"messages", "stream", typed("message_start", `,"message":{"id":"m","role":"assistant","content":[]}`) + typed("ping", "") +
			typed("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`) +
			typed("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"a"}`) +
			typed("content_block_delta", `,"delta":{"text":"b","type":"text_delta"},"index":0`) + typed("content_block_stop", `,"index":0`) +
			typed("content_block_start", `,"index":1,"content_block":{"type":"tool_use","id":"i","name":"f","input":{}}`) +
			typed("content_block_delta", `,"index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}`) +
			typed("content_block_delta", `,"index":2,"delta":{"type":"thinking_delta","thinking":"t"}`) +
			typed("message_delta", `,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}`) + typed("message_stop", ""),
			(*API).ReadStream, []string{"content 0 a", "content 0 b", "tool_name 1 f", "tool_arguments 1 {}", "reasoning 2 t"}},

		{"models", "answer", `{"object":"list","data":[{"id":"a"}]}`, (*API).ReadResponse, []string{"other object", "other list", "other data", "other id", "other a"}},
	} {
		t.Run(tc.api+" "+tc.name, func(t *testing.T) {
			wantLines(t, describeAll(mustRead(t, tc.read(named(t, tc.api), DefaultLimits()), tc.body)), tc.want)
		})
	}
}

// What cannot be read is refused, unless it is accepted.
func TestOpaque(t *testing.T) {
	const image, pdf = `{"type":"image","source":{"type":"base64","data":"AA"}}`, `{"type":"document","source":{"type":"base64","data":"AA"}}`
	block := func(b string) string { return `{"messages":[{"content":[` + b + `]}]}` }
	for _, tc := range []struct {
		api, body string
		fault     Fault
		accept    Opaque // that lets it pass; 0: none does
	}{
		{"chat_completions", block(`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}`), Unreadable, Images},
		{"chat_completions", block(`{"image_url":"DATA:,","type":"image_url"}`), Unreadable, Images},
		{"chat_completions", block(`{"type":"image_url","image_url":{"url":"https://a.example"}}`), Unreadable, Images | Remote},
		{"chat_completions", block(`{"type":"video_url","video_url":{"url":"file:///a"}}`), Unreadable, Video | Remote},
		{"chat_completions", block(`{"type":"input_audio","input_audio":{"data":"AA"}}`), Unreadable, Audio},
		{"chat_completions", block(`{"type":"file","file":{"file_data":"AA"}}`), Unreadable, Files},
		{"chat_completions", block(`{"type":"hologram","text":"a"}`), Unreadable, 0},
		{"chat_completions", block(`{"text":"a"}`), Unreadable, 0},
		{"chat_completions", `{"tools":[{"type":"web_search"}]}`, Elsewhere, Hosted},
		{"chat_completions", `{"web_search_options":{}}`, Elsewhere, Hosted},
		{"chat_completions", `{"multi_modal_data":{"image":"AA"}}`, Unreadable, Images | Audio | Video},
		{"chat_completions", `{"chat_template":"x"}`, Unreadable, Templates},
		{"chat_completions", block(`{"type":"prompt_embeds","data":"AA"}`), Unreadable, TokenIDs},
		{"chat_completions", block(`{"type":"text","text":"a","uuid":"u","image_url":"data:,"}`), Elsewhere, Images | Stored},
		{"chat_completions", block(`{"type":"text","text":"a","image_url":{"url":"https://a"}}`), Unreadable, Images | Remote},
		{"chat_completions", block(`{"type":"text","text":"a","uuid":"u","image_url":null}`), Elsewhere, Stored},
		{"chat_completions", block(`{"type":"image_embeds","image_embeds":"AA","audio_url":"https://a"}`), Unreadable, Images | Audio | Remote},
		{"chat_completions", block(`{"type":"text","text":"a","prompt_embeds":"","data":"AA"}`), Unreadable, TokenIDs},
		{"chat_completions", `{"messages":[{"role":"assistant","reasoning_content":{"type":"prompt_embeds","data":"AA"}}]}`, Unreadable, TokenIDs},
		{"responses", `{"input":[{"role":"user","content":[{"type":"input_text","text":"a","uuid":"u","image_url":"data:,"}]}]}`, Elsewhere, Images | Stored},
		{"chat_completions", block(`{"type":"video_embeds","video_embeds":"AA"}`), Unreadable, Video},
		{"chat_completions", `{"messages":[{"role":"user","content":{"image_url":"data:,"}}]}`, Unreadable, Images},
		{"chat_completions", `{"messages":[{"role":"assistant","reasoning":{"type":"prompt_embeds","data":"AA"}}]}`, Unreadable, TokenIDs},
		{"chat_completions", `{"messages":[[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]]}`, Unreadable, 0},
		{"chat_completions", `{"messages":{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}}`, Unreadable, 0},
		{"chat_completions", `{"prediction":{"type":"content","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}}`, Unreadable, 0},
		{"chat_completions", `{"kv_transfer_params":{"remote_block_ids":[1]}}`, Elsewhere, Stored},
		{"chat_completions", `{"ec_transfer_params":{"a":"b"}}`, Elsewhere, Stored},
		{"chat_completions", `{"session_params":{"id":"s"}}`, Elsewhere, Stored},
		{"chat_completions", `{"bootstrap_host":"h","bootstrap_room":1}`, Elsewhere, Stored},
		{"chat_completions", `{"custom_logit_processor":"AA"}`, Unreadable, Templates},
		{"chat_completions", `{"chat_template_kwargs":{"chat_template":"x"}}`, Unreadable, Templates},
		{"chat_completions", `{"prompt_id":"p"}`, Elsewhere, Stored},
		{"chat_completions", `{"vector_store_ids":["v"]}`, Elsewhere, Hosted},
		{"completions", `{"prompt":[1,2]}`, Unreadable, TokenIDs},
		{"completions", `{"prompt":[[1],[2]]}`, Unreadable, TokenIDs},
		{"completions", `{"prompt":["a",[2]]}`, Unreadable, TokenIDs},
		{"completions", `{"prompt":7}`, Unreadable, TokenIDs},
		{"completions", `{"prompt_embeds":"AA"}`, Unreadable, TokenIDs},
		{"embeddings", `{"input":[[1]]}`, Unreadable, TokenIDs},
		{"embeddings", `{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]}`, Unreadable, Images},
		{"completions", `{"prompt":{"prompt_string":"a","multimodal_data":["AA"]}}`, Unreadable, 0},
		{"completions", `{"prompt":[{"prompt_string":"a","multimodal_data":["AA"]}]}`, Unreadable, 0},
		{"completions", `{"prompt":[[[1]]]}`, Unreadable, 0},
		{"embeddings", `{"input":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]}`, Unreadable, Images},
		{"embeddings", `{"input":[[{"role":"user","content":"a"}]]}`, Unreadable, 0},
		{"embeddings", `{"messages":[[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]]}`, Unreadable, 0},
		{"embeddings", `{"input":[{"text":"a","image":"data:,"}]}`, Unreadable, Images},
		{"embeddings", `{"input":[{"text":"a","image":"http://a"}]}`, Unreadable, Images | Remote},
		{"embeddings", `{"input":[{"video":"AA"}]}`, Unreadable, Video | Remote},
		{"embeddings", `{"input":{"prompt_string":"a","multimodal_data":["AA"]}}`, Unreadable, 0},
		{"embeddings", `{"content":[[1]]}`, Unreadable, TokenIDs},
		{"embeddings", `{"content":{"prompt_string":"a","multimodal_data":["AA"]}}`, Unreadable, 0},
		{"embeddings", `{"embed_overrides":[[[0.5]]]}`, Unreadable, TokenIDs},
		{"responses", `{"previous_response_id":"r"}`, Elsewhere, Stored},
		{"responses", `{"conversation":{"id":"c"}}`, Elsewhere, Stored},
		{"responses", `{"prompt":{"id":"p"}}`, Elsewhere, Stored},
		{"responses", `{"input":[{"type":"item_reference","id":"i"}]}`, Elsewhere, Stored},
		{"responses", `{"input":[{"type":"reasoning","encrypted_content":"AA"}]}`, Elsewhere, Stored},
		{"responses", `{"input":[{"type":"message","content":[{"type":"input_image","image_url":"data:,"}]}]}`, Unreadable, Images},
		{"responses", `{"input":[{"content":[{"type":"input_image","image_url":"http://a"}]}]}`, Unreadable, Images | Remote},
		{"responses", `{"input":[{"content":[{"type":"input_image","file_id":"f"}]}]}`, Unreadable, Images | Stored},
		{"responses", `{"input":[{"content":[{"type":"input_file","file_data":"AA"}]}]}`, Unreadable, Files},
		{"responses", `{"input":[{"type":"computer_call_output","output":{"image_url":"data:,"}}]}`, Unreadable, Images},
		{"responses", `{"input":[{"type":"hologram"}]}`, Unreadable, 0},
		{"responses", `{"tools":[{"type":"mcp","server_url":"https://a"}]}`, Elsewhere, Hosted},
		{"responses", `{"tools":[{"type":"file_search"}]}`, Elsewhere, Hosted},
		{"responses", `{"input":[{"id":"msg_1"}]}`, Elsewhere, Stored},
		{"responses", `{"input":[{"type":null,"id":"msg_1"}]}`, Elsewhere, Stored},
		{"responses", `{"input":[{"id":"msg_1","content":null}]}`, Elsewhere, Stored},
		{"responses", `{"input":{"role":"user","content":[{"type":"input_image","image_url":"data:,"}]}}`, Unreadable, 0},
		{"responses", `{"instructions":[{"role":"user","content":[{"type":"input_image","image_url":"data:,"}]}]}`, Unreadable, 0},
		{"responses", `{"input":[{"content":[{"type":"input_image","image_url":{"url":"http://a"}}]}]}`, Unreadable, Images | Remote},
		{"responses", `{"input":[{"type":"reasoning","content":[{"type":"input_image","image_url":"data:,"}]}]}`, Unreadable, 0},
		{"responses", `{"input":[{"type":"shell_call","role":"user","content":[{"type":"input_image","image_url":"data:,"}]}]}`, Unreadable, Images},
		{"responses", `{"input":[{"type":"code_interpreter_call","outputs":[{"type":"image","url":"data:,"}]}]}`, Unreadable, Images},
		{"responses", `{"input":[{"type":"code_interpreter_call","outputs":[{"type":"image","url":"https://a"}]}]}`, Unreadable, Images | Remote},
		{"responses", `{"tools":[{"type":"namespace","name":"n","tools":[{"type":"mcp"}]}]}`, Elsewhere, Hosted},
		{"responses", `{"input":[{"content":{"type":"input_image","image_url":"data:,"}}]}`, Unreadable, 0},
		{"responses", `{"input":[{"content":[[{"type":"input_text","text":"a"}]]}]}`, Unreadable, 0},
		{"messages", `{"messages":[{"content":` + image + `}]}`, Unreadable, 0},
		{"messages", block(`[` + image + `]`), Unreadable, 0},
		{"messages", `{"system":{"type":"text","text":"a"}}`, Unreadable, 0},
		{"messages", block(image), Unreadable, Images},
		{"messages", block(`{"type":"image","source":{"type":"url","url":"https://a"}}`), Unreadable, Images | Remote},
		{"messages", block(`{"type":"image","source":{"type":"file","file_id":"f"}}`), Unreadable, Images | Stored},
		{"messages", block(pdf), Unreadable, Files},
		{"messages", block(`{"type":"document","source":{"type":"content","content":[` + image + `]}}`), Unreadable, Images},
		{"messages", block(`{"type":"tool_result","content":[` + image + `]}`), Unreadable, Images},
		{"messages", block(`{"type":"redacted_thinking","data":"AA"}`), Elsewhere, Stored},
		{"messages", block(`{"type":"container_upload","file_id":"f"}`), Elsewhere, Stored},
		{"messages", block(`{"type":"hologram"}`), Unreadable, 0},
		{"messages", `{"system":[` + image + `]}`, Unreadable, Images},
		{"messages", `{"tools":[{"type":"web_search_20250305","name":"w"}]}`, Elsewhere, Hosted},
		{"messages", `{"mcp_servers":[{"url":"https://a"}]}`, Elsewhere, Hosted},
		{"messages", `{"container":"c"}`, Elsewhere, Stored},
		{"messages", block(`{"type":"compaction","content":"a"}`), Elsewhere, Stored},
		{"messages", block(`{"type":"tool_addition","tool":{"type":"tool_definition","definition":{"type":"web_search_20250305"}}}`), Elsewhere, Hosted},
		{"responses", `{"input":[{"type":"additional_tools","tools":[{"type":"mcp"}]}]}`, Elsewhere, Hosted},
		{"messages", `{"thread":{"type":"continue","previous_message_id":"m"}}`, Elsewhere, Stored},
		{"messages", block(`{"type":"image","source":"https://a"}`), Unreadable, Images | Remote},
		{"messages", block(`{"type":"search_result","content":{"type":"image","source":{"type":"base64","data":"AA"}}}`), Unreadable, 0},
	} {
		t.Run(tc.api+" "+tc.body, func(t *testing.T) {
			read := func(accept Opaque) error {
				l := DefaultLimits()
				l.Accept = accept
				_, err := readAll(named(t, tc.api).ReadRequest(l), []byte(tc.body))
				return err
			}
			wantFault(t, read(0), tc.fault, -1)
			// All but what it takes, bit by bit, is not enough.
			for bit := Images; bit < alien; bit <<= 1 {
				if tc.accept&bit != 0 && read((alien-1)&^bit) == nil {
					t.Errorf("passes without %b", bit)
				}
			}
			if err := read(tc.accept); (err == nil) != (tc.accept != 0) {
				t.Errorf("accepted: %v", err)
			}
		})
	}
}

// Events whose name and type differ are read differently by different clients.
func TestEventNames(t *testing.T) {
	for body, ok := range map[string]bool{
		typed("ping", ""):                                               true,
		"data: {\"type\":\"ping\"}\n\n":                                 true,
		"event: ping\n\n":                                               true,
		"data: {\"type\":\"ping\"}\nevent:ping\n\n":                     true,
		"event: message_stop\ndata: {\"type\":\"ping\"}\n\n":            false,
		"event: ping\nevent: error\n" + "data: {\"type\":\"ping\"}\n\n": false,
		"event: ping\nevent\ndata: {\"type\":\"ping\"}\n\n":             false,
		"event: ping\ndata: {\"type\":[\"ping\"]}\n\n":                  false,
	} {
		if _, err := readAll(named(t, "messages").ReadStream(DefaultLimits()), []byte(body)); (err == nil) != ok {
			t.Errorf("%q: %v", body, err)
		}
	}
}
