package demo

import (
	"iter"
	"unicode"
)

// answer is what the model makes of a question: every choice is the same.
type answer struct {
	call   *call // nil where the answer is text
	text   string
	finish string

	promptWords, words int // words is for one choice
}

// The reasons to finish, as chat completions name them.
const (
	finishStop   = "stop"
	finishLength = "length"
	finishCalls  = "tool_calls"
)

// reply answers a question. It is a pure function: nothing but the question
// decides over the words.
func reply(q *question) answer {
	a := answer{finish: finishStop}
	for _, t := range q.turns {
		a.promptWords += count(string(t.Content))
	}
	if last := q.turns[len(q.turns)-1]; last.Role == roleTool {
		// A result is always answered in words, even where a call is
		// required: else a client's loop would never end.
		a.text = "The tool said: " + string(last.Content)
	} else if a.call = chooseCall(q); a.call != nil {
		a.finish = finishCalls
		a.words = 1 + count(a.call.arguments)
		return a
	} else if a.text = repeated(q.prompt()); a.text == "" {
		a.text = help
	}
	length := 0
	for w := range words(a.text) {
		if a.words == q.limit && q.limit > 0 {
			a.text, a.finish = a.text[:length], finishLength
			break
		}
		a.words++
		length += len(w)
	}
	return a
}

func (a *answer) usage(choices int) *usage {
	completion := a.words * choices
	return &usage{a.promptWords, completion, a.promptWords + completion}
}

// words cuts a text into its words, each with the white space before it, the
// last also with that after it: put together they are the text again.
func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, end, inside := 0, 0, false // end of the last word
		for i, r := range text {
			switch space := unicode.IsSpace(r); {
			case space && inside:
				end, inside = i, false
			case !space && !inside:
				if end > start {
					if !yield(text[start:end]) {
						return
					}
					start = end
				}
				inside = true
			}
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

func count(text string) int {
	n := 0
	for range words(text) {
		n++
	}
	return n
}

// pieces cuts a text into runs of a few characters, as models do with a call's
// arguments.
func pieces(text string) iter.Seq[string] {
	const size = 4
	return func(yield func(string) bool) {
		start, n := 0, 0
		for i := range text {
			if n == size {
				if !yield(text[start:i]) {
					return
				}
				start, n = i, 0
			}
			n++
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}
