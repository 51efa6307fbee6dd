package decode

// responseItem is one item of a request's input or of a response's output. An
// item that holds media, or only a reference, is not for every policy; one of
// another type is refused. The parts of an input are fed to the model as one run
// of words; those of an output go on, each by itself, over the events of a stream.
func responseItem(input bool) *rule {
	several := func(k Kind, part *rule) *rule {
		r := &rule{kind: k, items: part, joined: true, other: alien}
		if !input {
			r.joined, r.numbers = false, coordinateB
		}
		return r
	}
	content := func() *rule { return several(Content, responsePart()) }
	list := func(k Kind) *rule {
		part := func() *rule { return object(map[string]*rule{"text": text(k)}) }
		parts := byType(alien, map[string]*rule{"reasoning_text": part(), "summary_text": part(), "text": part()})
		parts.kind = k
		return several(k, parts)
	}
	item := func(members map[string]*rule) *rule {
		members = singles(members, "id", "call_id", "status", "role")
		if members["content"] == nil {
			members["content"] = content() // for servers that look for it in any item
		}
		return object(members)
	}
	tools := func() *rule { return item(map[string]*rule{"tools": {items: responseTool(), other: alien}}) }
	logs := byType(alien, map[string]*rule{
		"logs":  object(nil),
		"image": {opaque: Images, members: map[string]*rule{"url": {link: true}}},
	})
	items := map[string]*rule{
		"message": item(map[string]*rule{"content": content()}),
		"reasoning": item(map[string]*rule{
			"summary":           list(ReasoningContent),
			"content":           list(Reasoning),
			"encrypted_content": opaque(Stored),
		}),
		"function_call":           item(map[string]*rule{"name": text(ToolName), "arguments": text(ToolArguments)}),
		"function_call_output":    item(map[string]*rule{"output": content()}),
		"custom_tool_call":        item(map[string]*rule{"name": text(CustomToolName), "input": text(CustomToolInput)}),
		"custom_tool_call_output": item(map[string]*rule{"output": content()}),

		// Run by the client, and their results.
		"local_shell_call": item(nil), "local_shell_call_output": item(nil),
		"shell_call": item(nil), "shell_call_output": item(nil),
		"apply_patch_call": item(nil), "apply_patch_call_output": item(nil),
		// Run by the model's server. What they say here can be read.
		"file_search_call": item(nil), "web_search_call": item(nil),
		"code_interpreter_call": item(map[string]*rule{"code": text(CustomToolInput), "outputs": {items: logs, other: alien}}),
		"mcp_list_tools":        item(nil), "mcp_call": item(nil),
		"mcp_approval_request": item(nil), "mcp_approval_response": item(nil),
		"program": item(map[string]*rule{"code": text(CustomToolInput)}), "program_output": item(nil),
		"tool_search_call": item(nil), "tool_search_output": tools(), "additional_tools": tools(),

		"image_generation_call": item(map[string]*rule{"result": opaque(Images)}),
		"computer_call":         item(nil),
		"computer_call_output":  item(map[string]*rule{"output": opaque(Images)}),
		"item_reference":        opaque(Stored),
		"compaction":            opaque(Stored),
	}
	if input {
		// One without a type is a message, or names one that the server keeps.
		items[""] = item(map[string]*rule{"output": content()})
		items[""].without, items[""].members["content"].mark = Stored, markContent
	}
	r := byType(alien, items)
	if input {
		r.kind = Content // vLLM takes strings among the items
	}
	return r
}

// responsePart is a part of an item's content. Models are fed refusals among the
// parts as one text with the others.
func responsePart() *rule {
	words := func(member string) *rule {
		return withMedia(object(map[string]*rule{member: text(Content), "logprobs": {shadow: true}}))
	}
	r := byType(alien, map[string]*rule{
		"input_text":     words("text"),
		"output_text":    words("text"),
		"text":           words("text"),
		"reasoning_text": object(map[string]*rule{"text": text(Reasoning)}),
		"summary_text":   object(map[string]*rule{"text": text(ReasoningContent)}),
		"refusal":        words("refusal"),
		"input_image":    withMedia(&rule{opaque: Images, members: map[string]*rule{"file_id": opaque(Stored)}}),
		"input_file":     withMedia(&rule{opaque: Files, members: map[string]*rule{"file_url": link(0), "file_id": opaque(Stored)}}),
		"input_audio":    opaque(Audio),
		"output_audio":   opaque(Audio),
	})
	r.kind = Content
	return r
}
