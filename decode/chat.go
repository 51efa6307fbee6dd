package decode

import "strconv"

// chatEnding ends a stream of chat completion chunks: one chunk that closes
// every choice the client has seen open with finish_reason content_filter, then
// an event with the error object and no end mark. Tried with the OpenAI SDKs
// for Go and Python: both raise an API error on the second event; error and
// finish_reason in one event would lose the chunk.
func chatEnding(dst []byte, c client, object []byte) []byte {
	names := [3]string{`{"id":`, `,"object":"chat.completion.chunk","created":`, `,"model":`}
	defaults := [3]string{`""`, `0`, `""`}
	open := 0
	for _, choice := range c.choices {
		if choice.closed {
			continue
		}
		if open++; open == 1 {
			dst = append(dst, "data: "...)
			for i, name := range names {
				dst = append(dst, name...)
				if c.envelope[i] != nil {
					dst = append(dst, c.envelope[i]...)
				} else {
					dst = append(dst, defaults[i]...)
				}
			}
			dst = append(dst, `,"choices":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"index":`...)
		dst = strconv.AppendInt(dst, int64(choice.index), 10)
		dst = append(dst, `,"delta":{},"finish_reason":"content_filter"}`...)
	}
	if open > 0 {
		dst = append(dst, "]}\n\n"...)
	}
	dst = append(dst, "data: "...)
	dst = append(dst, object...)
	return append(dst, "\n\n"...)
}
