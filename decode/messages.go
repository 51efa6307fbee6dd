package decode

import "net/http"

// messages follows Anthropic's API reference ("Messages" and "Streaming
// messages"), as vLLM serves it too.
func messages() *API {
	return &API{
		Name:     "messages",
		Method:   http.MethodPost,
		Path:     "/v1/messages",
		Query:    "beta=true",
		IDHeader: "request-id",
		request: object(served(map[string]*rule{
			"system":      blocks(Instructions),
			"messages":    listOnly(coordinateA, object(singles(map[string]*rule{"content": blocks(Content)}, "role"))),
			"tools":       list(coordinateB, messageTool()),
			"mcp_servers": opaque(Hosted),
			"container":   opaque(Stored),
			"thread":      opaque(Stored),
		})),
		joins:     true,
		response:  message(),
		event:     messageEvent(),
		unknown:   unknown(),
		Anthropic: true,
		ending:    messagesEnding,
	}
}

// messageTool is one of the tools of a request. Those that the client runs have
// no type, "custom", or one of these with a version; others are run by the
// model's server.
func messageTool() *rule {
	described := func() *rule {
		return object(map[string]*rule{
			"name":        text(ToolName),
			"description": text(ToolDescription),
		})
	}
	tools := map[string]*rule{"": described(), "custom": described()}
	for _, name := range []string{
		"bash_20241022", "bash_20250124",
		"text_editor_20241022", "text_editor_20250124", "text_editor_20250429", "text_editor_20250728",
		"computer_20241022", "computer_20250124", "computer_20251124", "memory_20250818",
		"computer_toolset_20260801", "browser_toolset_20260801",
	} {
		tools[name] = described()
	}
	return byType(Hosted, tools)
}

// blocks is the content of a message or of a tool's result: a string or a list
// of content blocks.
func blocks(k Kind) *rule {
	all := block(k)
	result := func() *rule {
		inner := byType(alien, block(k))
		inner.kind = k
		return object(map[string]*rule{
			"tool_use_id": {single: true},
			"content":     {kind: k, items: inner, joined: true, other: alien},
		})
	}
	all["tool_result"], all["mcp_tool_result"] = result(), result()
	part := byType(alien, all)
	part.kind = k
	return &rule{kind: k, items: part, joined: true, other: alien}
}

// block holds the kinds of content blocks, but for those that hold others.
func block(k Kind) map[string]*rule {
	source := func(o Opaque) *rule {
		r := byType(alien, map[string]*rule{
			"base64":  opaque(o),
			"url":     {opaque: o, members: map[string]*rule{"url": {link: true}}},
			"file":    {opaque: o, members: map[string]*rule{"file_id": opaque(Stored)}},
			"text":    object(map[string]*rule{"data": text(k), "media_type": {single: true}}),
			"content": object(map[string]*rule{"content": {kind: k, items: plainBlock(k), joined: true, other: alien}}),
		})
		r.link = true
		return r
	}
	change := func() *rule {
		return object(map[string]*rule{"tool": byType(Hosted, map[string]*rule{
			"tool_reference":  object(map[string]*rule{"name": text(ToolName)}),
			"tool_definition": object(map[string]*rule{"definition": messageTool()}),
		})})
	}
	called := func() *rule {
		return object(singles(map[string]*rule{"name": text(ToolName)}, "id"))
	}
	return map[string]*rule{
		"text":              object(map[string]*rule{"text": text(k)}),
		"thinking":          object(singles(map[string]*rule{"thinking": text(Reasoning)}, "signature")),
		"redacted_thinking": opaque(Stored),
		"image":             {opaque: Images, members: map[string]*rule{"source": source(Images)}},
		"document": object(map[string]*rule{
			"source": source(Files), "title": text(Name), "context": text(Name),
		}),
		"search_result":   object(map[string]*rule{"content": {kind: k, items: plainBlock(k), joined: true, other: alien}}),
		"tool_use":        called(),
		"server_tool_use": called(), "mcp_tool_use": called(),
		"tool_reference": object(map[string]*rule{"tool_name": text(ToolName)}),
		// What the model's server searched or ran; its results may be encrypted.
		"web_search_tool_result": opaque(Hosted), "web_fetch_tool_result": opaque(Hosted),
		"code_execution_tool_result": opaque(Hosted), "bash_code_execution_tool_result": opaque(Hosted),
		"text_editor_code_execution_tool_result": opaque(Hosted), "tool_search_tool_result": opaque(Hosted),
		"advisor_tool_result": opaque(Hosted), "mcp_tool_result": opaque(Hosted), "mcp_tool_listing": opaque(Hosted),
		"container_upload": opaque(Stored), "compaction": opaque(Stored),
		"tool_addition": change(), "tool_removal": change(),
		"fallback": object(nil), // to another model
	}
}

// plainBlock is a content block of text alone.
func plainBlock(k Kind) *rule {
	r := byType(alien, map[string]*rule{
		"text":  object(map[string]*rule{"text": text(k)}),
		"image": {opaque: Images, members: map[string]*rule{"source": object(map[string]*rule{"url": {link: true}, "file_id": opaque(Stored)})}},
	})
	r.kind = k
	return r
}

// message is a whole response.
func message() *rule {
	content := byType(alien, block(Content))
	return object(singles(map[string]*rule{
		"content": {items: content, numbers: coordinateA},
	}, "id", "type", "role", "model", "stop_reason", "stop_sequence"))
}

// messageEvent is one event of a stream. A block's text goes on from its start
// over its deltas.
func messageEvent() *rule {
	indexed := func(members map[string]*rule) *rule {
		members["index"] = &rule{mark: markA}
		return object(members)
	}
	opening := block(Content)
	stop := indexed(map[string]*rule{})
	stop.closes = true
	failed, end := object(nil), object(nil)
	failed.closes, end.ends = true, true
	r := byType(0, map[string]*rule{
		"ping": object(nil),
		"message_start": object(map[string]*rule{"message": {
			complete: true, members: message().members,
		}}),
		"content_block_start": indexed(map[string]*rule{"content_block": byType(alien, opening)}),
		"content_block_delta": indexed(map[string]*rule{"delta": byType(0, map[string]*rule{
			"text_delta":       object(map[string]*rule{"text": text(Content)}),
			"input_json_delta": object(map[string]*rule{"partial_json": text(ToolArguments)}),
			"thinking_delta":   object(map[string]*rule{"thinking": text(Reasoning)}),
			"signature_delta":  object(singles(nil, "signature")),
			"citations_delta":  object(map[string]*rule{"citation": {complete: true}}),
		})}),
		"content_block_stop": stop,
		"message_delta": object(map[string]*rule{
			"delta": object(singles(map[string]*rule{"stop_reason": {mark: markFinish, single: true}}, "stop_sequence")),
		}),
		"message_stop": end,
		"error":        failed,
	})
	r.members["index"] = &rule{mark: markA}
	return r
}
