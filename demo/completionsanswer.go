package demo

import (
	"iter"
	"unicode/utf8"
)

// textCompletion is the answer to all prompts as a whole, or a chunk of it.
type textCompletion struct {
	head
	Choices []textChoice `json:"choices"`
	Usage   any          `json:"usage,omitempty"` // as in a chunk of a chat completion
}

type textChoice struct {
	Index    int           `json:"index"`
	Text     string        `json:"text"`
	Logprobs *textLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

// textLogprobs are the older form of logprobs: the words as a list, and again
// as names.
type textLogprobs struct {
	Tokens []string             `json:"tokens"`
	Values []float64            `json:"token_logprobs"`
	Top    []map[string]float64 `json:"top_logprobs"` // null where no alternatives are asked for
	Offset []int                `json:"text_offset"`  // in characters, from the start of the choice
}

// pieces are the parts of a choice's text in which it is streamed: the prompt
// where it is echoed, then each word.
func (c *continuation) pieces() iter.Seq[string] {
	return func(yield func(string) bool) {
		if c.prompt != "" && !yield(c.prompt) {
			return
		}
		for w := range words(c.text) {
			if !yield(w) {
				return
			}
		}
	}
}

// logprobs gives those of a part of a choice's text that begins at offset, nil
// where none are asked for.
func (r *completionsRequest) logprobs(offset int, parts ...string) *textLogprobs {
	if r.Logprobs == nil {
		return nil
	}
	l := &textLogprobs{Tokens: []string{}, Values: []float64{}, Offset: []int{}}
	for _, part := range parts {
		for w := range words(part) {
			l.Tokens = append(l.Tokens, w)
			l.Values = append(l.Values, 0)
			if *r.Logprobs > 0 {
				l.Top = append(l.Top, map[string]float64{w: 0})
			}
			l.Offset = append(l.Offset, offset)
			offset += utf8.RuneCountInString(w)
		}
	}
	return l
}

func completionsUsage(all []continuation, n int) *usage {
	var sum usage
	for _, c := range all {
		u := c.usage(n)
		sum.Prompt += u.Prompt
		sum.Completion += u.Completion
		sum.Total += u.Total
	}
	return &sum
}

// completionsAnswer writes the answers as one object: the choices of the first
// prompt, then those of the next.
func completionsAnswer(h head, r *completionsRequest, all []continuation, n int) textCompletion {
	t := textCompletion{head: h, Usage: completionsUsage(all, n)}
	for _, c := range all {
		for range n {
			t.Choices = append(t.Choices, textChoice{
				Index: len(t.Choices), Text: c.prompt + c.text, Logprobs: r.logprobs(0, c.prompt, c.text), Finish: &c.finish,
			})
		}
	}
	return t
}

// streamCompletions writes the answers as events: the words of all choices in
// turn, each with its reason to finish after its last word, and, where asked
// for, the usage.
func streamCompletions(e *events, h head, r *completionsRequest, all []continuation, n int) {
	blank := textCompletion{head: h, Choices: []textChoice{}}
	if r.StreamOptions.IncludeUsage {
		blank.Usage = (*usage)(nil)
	}
	sources := make([]func() (string, bool), len(all))
	for i := range all {
		next, stop := iter.Pull(all[i].pieces())
		defer stop()
		sources[i] = next
	}
	offsets := make([]int, len(all))
	for open := len(all); open > 0 && e.err == nil; {
		for i, next := range sources {
			if next == nil {
				continue
			}
			one := textChoice{Finish: &all[i].finish}
			if piece, ok := next(); ok {
				one = textChoice{Text: piece, Logprobs: r.logprobs(offsets[i], piece)}
				offsets[i] += utf8.RuneCountInString(piece)
			} else {
				sources[i] = nil
				open--
			}
			for j := range n {
				one.Index = i*n + j
				chunk := blank
				chunk.Choices = []textChoice{one}
				e.data(chunk)
			}
		}
	}
	if r.StreamOptions.IncludeUsage {
		blank.Usage = completionsUsage(all, n)
		e.data(blank)
	}
	e.done()
}
