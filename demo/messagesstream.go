package demo

import (
	"encoding/json"
	"iter"
)

// messagesEvent is one event of a streamed message: each type has some of the
// members.
type messagesEvent struct {
	Type    string          `json:"type"`
	Message *messagesAnswer `json:"message,omitempty"`
	Index   *int            `json:"index,omitempty"`
	Block   any             `json:"content_block,omitempty"` // a textBlock or a callBlock
	Delta   any             `json:"delta,omitempty"`
	Usage   *messagesUsage  `json:"usage,omitempty"`
}

type textDelta struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type inputDelta struct {
	Type string `json:"type"`
	JSON string `json:"partial_json"`
}

type stopDelta struct {
	Reason   *string `json:"stop_reason"`
	Sequence *string `json:"stop_sequence"`
}

// streamMessage writes a message as events: that it begins, its one block bit
// by bit, with a ping as Anthropic's servers send them, and why it ends.
func streamMessage(e *events, whole messagesAnswer) {
	send := func(event messagesEvent) { e.named(event.Type, event) }
	begun := whole
	begun.Content, begun.StopReason, begun.Usage.Output = []any{}, nil, 0
	send(messagesEvent{Type: "message_start", Message: &begun})

	for i, block := range whole.Content {
		var parts iter.Seq[string]
		var delta func(part string) any
		switch b := block.(type) {
		case textBlock:
			block = textBlock{Type: b.Type}
			parts, delta = words(b.Text), func(word string) any { return textDelta{"text_delta", word} }
		case callBlock:
			block = callBlock{b.Type, b.ID, b.Name, json.RawMessage(noArguments)}
			parts, delta = pieces(string(b.Input)), func(p string) any { return inputDelta{"input_json_delta", p} }
		}
		send(messagesEvent{Type: "content_block_start", Index: &i, Block: block})
		send(messagesEvent{Type: "ping"})
		e.each(parts, func(part string) {
			send(messagesEvent{Type: "content_block_delta", Index: &i, Delta: delta(part)})
		})
		send(messagesEvent{Type: "content_block_stop", Index: &i})
	}
	send(messagesEvent{Type: "message_delta", Delta: stopDelta{Reason: whole.StopReason}, Usage: &whole.Usage})
	send(messagesEvent{Type: "message_stop"})
}
