package demo

// chunk is one event of a streamed chat completion.
type chunk struct {
	head
	Choices []chunkChoice `json:"choices"`
	// Usage is absent, or, where the client asked for it, a *usage: nil, and
	// thus null, in all chunks but the last.
	Usage any `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index    int       `json:"index"`
	Delta    delta     `json:"delta"`
	Logprobs *logprobs `json:"logprobs"`
	Finish   *string   `json:"finish_reason"`
}

type delta struct {
	Role      string      `json:"role,omitempty"`
	Content   *string     `json:"content,omitempty"`
	ToolCalls []callDelta `json:"tool_calls,omitempty"`
}

type callDelta struct {
	Index    int      `json:"index"`
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type,omitempty"`
	Function function `json:"function"`
}

// sender sends one chunk for each choice, built anew for each.
type sender func(build func() chunkChoice)

// streamChat writes an answer as events: roles, the words of all choices in
// turn, the reasons to finish, and, where asked for, the usage.
func (s *server) streamChat(e *events, h head, r *chatRequest, a answer) {
	blank := chunk{head: h, Choices: []chunkChoice{}}
	if r.StreamOptions.IncludeUsage {
		blank.Usage = (*usage)(nil)
	}
	var all sender = func(build func() chunkChoice) {
		for i := range r.choices {
			c := blank
			one := build()
			one.Index = i
			c.Choices = []chunkChoice{one}
			e.data(c)
		}
	}
	if a.call != nil {
		s.streamCalls(e, a, all)
	} else {
		streamText(e, r, a, all)
	}
	all(func() chunkChoice { return chunkChoice{Finish: &a.finish} })
	if r.StreamOptions.IncludeUsage {
		blank.Usage = a.usage(r.choices)
		e.data(blank)
	}
	e.done()
}

// streamText sends the role and the words.
func streamText(e *events, r *chatRequest, a answer, all sender) {
	none := ""
	all(func() chunkChoice { return chunkChoice{Delta: delta{Role: roleAssistant, Content: &none}} })
	e.each(words(a.text), func(word string) {
		c := chunkChoice{Delta: delta{Content: &word}}
		if r.Logprobs {
			c.Logprobs = &logprobs{certain(word), nil}
		}
		all(func() chunkChoice { return c })
	})
}

// streamCalls sends the role, the name of the tool and its arguments bit by bit.
func (s *server) streamCalls(e *events, a answer, all sender) {
	part := func(d callDelta) chunkChoice { return chunkChoice{Delta: delta{ToolCalls: []callDelta{d}}} }
	all(func() chunkChoice { return chunkChoice{Delta: delta{Role: roleAssistant}} })
	all(func() chunkChoice { // an id of its own for each choice
		return part(callDelta{ID: s.callID(), Type: "function", Function: function{Name: a.call.name}})
	})
	e.each(pieces(a.call.arguments), func(p string) {
		all(func() chunkChoice { return part(callDelta{Function: function{Arguments: p}}) })
	})
}
