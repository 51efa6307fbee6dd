package decode

import (
	"cmp"
	"slices"
)

// client is what the client has seen of the stream, as far as ending it early
// must fit it.
type client struct {
	envelope [4][]byte     // the values of id, created, model and the last sequence_number, as JSON
	choices  []choiceState // by index
}

type choiceState struct {
	index  int32
	closed bool
}

func (s *stream) Passed(ev *Event, edited bool) {
	for i, at := range ev.envelope {
		first := s.client.envelope[i] == nil && !edited
		if (first || i == envelopeSequence) && at.end > at.start {
			s.client.envelope[i] = append(s.client.envelope[i][:0], ev.Raw[at.start:at.end]...)
		}
	}
	for _, index := range ev.open {
		s.client.choice(index)
	}
	for _, index := range ev.closed {
		s.client.choice(index).closed = true
	}
}

// choice returns the state of a choice, which is open if it is new.
func (c *client) choice(index int32) *choiceState {
	i, ok := slices.BinarySearchFunc(c.choices, index, func(s choiceState, i int32) int { return cmp.Compare(s.index, i) })
	if !ok {
		c.choices = slices.Insert(c.choices, i, choiceState{index: index})
	}
	return &c.choices[i]
}

func (s *stream) Ending(dst []byte, f Failure) []byte { return s.api.ending(dst, s.client, f) }
