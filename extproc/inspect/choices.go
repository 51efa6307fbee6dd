package inspect

import (
	"slices"

	"github.com/difflabai/confidential-safety/decode"
)

// choices knows which choices of a stream have begun and not ended.
type choices struct{ open, finished []int32 }

// last notes an event and reports whether it may be the last one but for others
// without words: the end mark, or one that ends all choices so far.
func (c *choices) last(ev *decode.Event) bool {
	for _, i := range ev.Choices() {
		if !slices.Contains(c.open, i) && !slices.Contains(c.finished, i) {
			c.open = append(c.open, i)
		}
	}
	for _, i := range ev.Finished() {
		if at := slices.Index(c.open, i); at >= 0 {
			c.open = slices.Delete(c.open, at, at+1)
			c.finished = append(c.finished, i)
		}
	}
	whole := slices.Contains(ev.Finished(), decode.NoChoice)
	return ev.Done() || whole || len(ev.Finished()) > 0 && len(c.open) == 0
}
