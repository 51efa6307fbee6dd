package demo

// responseEvent is one event of a streamed response: each type has some of the
// members.
type responseEvent struct {
	Type         string     `json:"type"`
	Number       int        `json:"sequence_number"`
	Response     *response  `json:"response,omitempty"`
	ItemID       string     `json:"item_id,omitempty"`
	OutputIndex  *int       `json:"output_index,omitempty"`
	ContentIndex *int       `json:"content_index,omitempty"`
	Item         any        `json:"item,omitempty"` // a messageItem or a callItem
	Part         any        `json:"part,omitempty"` // an outputText
	Delta        *string    `json:"delta,omitempty"`
	Text         *string    `json:"text,omitempty"`
	Name         *string    `json:"name,omitempty"`
	Arguments    *string    `json:"arguments,omitempty"`
	Logprobs     *[]logprob `json:"logprobs,omitempty"`
}

// numbered sends the events of one response.
type numbered struct {
	*events
	next int
}

func (n *numbered) send(name string, e responseEvent) {
	e.Type, e.Number = "response."+name, n.next
	n.next++
	n.named(e.Type, e)
}

// streamResponse writes a response as events: that it begins, its one item bit
// by bit, and the whole of it once more. There is no [DONE].
func streamResponse(e *events, whole response) {
	n := &numbered{events: e}
	begun := whole
	begun.Status, begun.Incomplete, begun.Output, begun.Usage = inProgress, nil, []any{}, nil
	n.send("created", responseEvent{Response: &begun})
	n.send(inProgress, responseEvent{Response: &begun})
	for i, item := range whole.Output {
		switch item := item.(type) {
		case messageItem:
			n.message(i, item)
		case callItem:
			n.call(i, item)
		}
	}
	// The state is the name of the last event, too.
	n.send(whole.Status, responseEvent{Response: &whole})
}

// message sends an item that holds text.
func (n *numbered) message(output int, item messageItem) {
	begun := item
	begun.Status, begun.Content = inProgress, []outputText{}
	n.send("output_item.added", responseEvent{OutputIndex: &output, Item: begun})
	for i, part := range item.Content {
		at := responseEvent{ItemID: item.ID, OutputIndex: &output, ContentIndex: &i}
		added := at
		added.Part = newOutputText("", []logprob{})
		n.send("content_part.added", added)
		n.text(at, part)
		done := at
		done.Part = part
		n.send("content_part.done", done)
	}
	n.send("output_item.done", responseEvent{OutputIndex: &output, Item: item})
}

// text sends the words of a part, and their probabilities if the part has any.
func (n *numbered) text(at responseEvent, part outputText) {
	sent := 0
	n.each(words(part.Text), func(word string) {
		delta, probs := at, []logprob{}
		if len(part.Logprobs) > 0 {
			probs = part.Logprobs[sent : sent+1]
		}
		sent++
		delta.Delta, delta.Logprobs = &word, &probs
		n.send("output_text.delta", delta)
	})
	done := at
	done.Text, done.Logprobs = &part.Text, &part.Logprobs
	n.send("output_text.done", done)
}

// call sends an item that calls a function.
func (n *numbered) call(output int, item callItem) {
	begun := item
	begun.Status, begun.Arguments = inProgress, ""
	n.send("output_item.added", responseEvent{OutputIndex: &output, Item: begun})
	n.each(pieces(item.Arguments), func(p string) {
		n.send("function_call_arguments.delta", responseEvent{ItemID: item.ID, OutputIndex: &output, Delta: &p})
	})
	n.send("function_call_arguments.done", responseEvent{
		ItemID: item.ID, OutputIndex: &output, Name: &item.Name, Arguments: &item.Arguments,
	})
	n.send("output_item.done", responseEvent{OutputIndex: &output, Item: item})
}
