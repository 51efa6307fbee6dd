package demo

// head is what all chunks of one answer, and the answer as a whole, have in
// common.
type head struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// completion is an answer as a whole.
type completion struct {
	head
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage"`
}

type choice struct {
	Index    int       `json:"index"`
	Message  message   `json:"message"`
	Logprobs *logprobs `json:"logprobs"`
	Finish   string    `json:"finish_reason"`
}

type message struct {
	Role      string     `json:"role"`
	Content   *string    `json:"content"`
	Refusal   *string    `json:"refusal"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

type toolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// logprobs repeat the words of an answer: whoever takes words out of it must
// take these out too, which is what they are here for.
type logprobs struct {
	Content []logprob `json:"content"`
	Refusal []logprob `json:"refusal"`
}

type logprob struct {
	Token   string    `json:"token"`
	Logprob float64   `json:"logprob"` // 0: the model is always certain
	Bytes   []int     `json:"bytes"`   // not []byte, which JSON writes as base64
	Top     []logprob `json:"top_logprobs"`
}

func (l *logprobs) add(word string) {
	b := make([]int, len(word))
	for i := range len(word) {
		b[i] = int(word[i])
	}
	l.Content = append(l.Content, logprob{word, 0, b, []logprob{}})
}

// whole writes an answer as one object.
func (s *server) whole(h head, r *request, a answer) completion {
	h.Object = "chat.completion"
	var probs *logprobs
	if r.Logprobs && a.call == nil {
		probs = &logprobs{Content: []logprob{}}
		for w := range words(a.text) {
			probs.add(w)
		}
	}
	c := completion{head: h, Usage: a.usage(r.choices)}
	for i := range r.choices {
		m := message{Role: "assistant"}
		if a.call == nil {
			m.Content = &a.text
		} else {
			m.ToolCalls = []toolCall{{s.callID(), "function", function{a.call.name, a.call.arguments}}}
		}
		c.Choices = append(c.Choices, choice{i, m, probs, a.finish})
	}
	return c
}

func (s *server) callID() string { return "call_" + s.cfg.NewID() }
