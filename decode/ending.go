package decode

import "strconv"

// chunkEnding ends a stream of chunks: one chunk that closes every choice the
// client has seen open with finish_reason content_filter, then the error. Error
// and finish_reason in one event would lose the chunk in the OpenAI SDKs.
// object names the chunks' kind, and delta is what a chunk without words has.
func chunkEnding(object, delta string) func([]byte, client, Failure) []byte {
	return func(dst []byte, c client, f Failure) []byte {
		open := 0
		for _, choice := range c.choices {
			if choice.closed {
				continue
			}
			if open++; open == 1 {
				dst = c.member(append(dst, `data: {"id":`...), 0, `""`)
				dst = append(dst, `,"object":"`+object+`","created":`...)
				dst = c.member(dst, 1, `0`)
				dst = c.member(append(dst, `,"model":`...), 2, `""`)
				dst = append(dst, `,"choices":[`...)
			} else {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"index":`...)
			dst = strconv.AppendInt(dst, int64(choice.index), 10)
			dst = append(dst, `,`+delta+`,"finish_reason":"content_filter"}`...)
		}
		if open > 0 {
			dst = append(dst, "]}\n\n"...)
		}
		return openAIEvent(dst, f)
	}
}

// member appends a value of the envelope that the client has seen.
func (c *client) member(dst []byte, i int, absent string) []byte {
	if c.envelope[i] == nil {
		return append(dst, absent...)
	}
	return append(dst, c.envelope[i]...)
}

// responsesEnding ends a stream of the Responses API: response.incomplete, then
// an event "error" that has both the form of the reference and an error object.
// Tried with the OpenAI SDKs: they raise an API error on the object only, and on
// none of response.failed, response.incomplete and the reference's form alone.
func responsesEnding(dst []byte, c client, f Failure) []byte {
	next := uint64(0)
	if n, err := strconv.ParseUint(string(c.envelope[envelopeSequence]), 10, 32); err == nil {
		next = n + 1
	}
	dst = append(dst, "event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"sequence_number\":"...)
	dst = strconv.AppendUint(dst, next, 10)
	dst = c.member(append(dst, `,"response":{"id":`...), 0, `""`)
	dst = c.member(append(dst, `,"object":"response","created_at":`...), 1, `0`)
	dst = append(dst, `,"status":"incomplete","incomplete_details":{"reason":"content_filter"},"error":null,"instructions":null,"model":`...)
	dst = c.member(dst, 2, `""`)
	dst = append(dst, `,"output":[],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"metadata":{}}}`+"\n\n"...)
	dst = append(dst, "event: error\ndata: {\"type\":\"error\",\"sequence_number\":"...)
	dst = strconv.AppendUint(dst, next+1, 10)
	dst = appendMember(dst, `,"code":`, f.Code)
	dst = appendMember(dst, `,"message":`, f.Message)
	dst = f.object(append(dst, `,"param":null,"error":`...))
	return append(f.safety(dst), "}\n\n"...)
}

// messagesEnding ends a stream of Anthropic's Messages: it stops the open blocks,
// gives the stop reason refusal, and then the error. The event must be named by a
// line of its own: without it the Anthropic SDKs end as if all was well.
func messagesEnding(dst []byte, c client, f Failure) []byte {
	for _, block := range c.choices {
		if block.index < 0 || block.closed {
			continue
		}
		dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
		dst = strconv.AppendInt(dst, int64(block.index), 10)
		dst = append(dst, "}\n\n"...)
	}
	dst = append(dst, "event: message_delta\n"+
		`data: {"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{"output_tokens":0}}`+"\n\n"...)
	dst = anthropicFailure(append(dst, "event: error\ndata: "...), f)
	return append(dst, "\n\n"...)
}
