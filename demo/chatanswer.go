package demo

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// completion is a chat completion as a whole.
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

// certain gives the words of a text, each with the probability that the model
// gives them.
func certain(text string) []logprob {
	all := []logprob{}
	for word := range words(text) {
		b := make([]int, len(word))
		for i := range len(word) {
			b[i] = int(word[i])
		}
		all = append(all, logprob{word, 0, b, []logprob{}})
	}
	return all
}

// chatAnswer writes an answer as one object.
func (s *server) chatAnswer(h head, r *chatRequest, a answer) completion {
	var probs *logprobs
	if r.Logprobs && a.call == nil {
		probs = &logprobs{certain(a.text), nil}
	}
	c := completion{head: h, Usage: a.usage(r.choices)}
	for i := range r.choices {
		m := message{Role: roleAssistant}
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
