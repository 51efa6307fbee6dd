package disguise

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// turn is a way to replace letters, or to order them: 1 to 25 shift them so far.
type turn uint8

const (
	straight  turn = 0
	rot13     turn = 13
	atbash    turn = 26
	backwards turn = 27
	allTurns       = 28
)

// turnTables say what number a letter's number becomes.
var turnTables = func() (t [allTurns][alphabet]uint8) {
	for k := range t {
		for c := 1; c < alphabet; c++ {
			switch turn(k) {
			case atbash:
				t[k][c] = uint8(alphabet - c)
			case backwards:
				t[k][c] = uint8(c)
			default:
				t[k][c] = uint8((c-1+k)%26 + 1)
			}
		}
	}
	return t
}()

// letter turns one letter.
func (t turn) letter(c byte) byte {
	k := letters[c]
	if k == 0 {
		return c
	}
	return turnTables[t][k] - 1 + c&^0x1f + 1
}

// apply appends a turned text.
func (t turn) apply(dst, text []byte) []byte {
	from := len(dst)
	for _, c := range text {
		dst = append(dst, t.letter(c))
	}
	if t == backwards {
		reverse(dst[from:])
	}
	return dst
}

// reverse reverses a text, but for the bytes of a character.
func reverse(text []byte) {
	slices.Reverse(text)
	for i := 0; i < len(text); i++ {
		if text[i] < utf8.RuneSelf {
			continue
		}
		end := i
		for end < len(text)-1 && !utf8.RuneStart(text[end]) {
			end++
		}
		slices.Reverse(text[i : end+1])
		i = end
	}
}

// What a turned text must be worth, in quarters of a bit.
const (
	goodPair = 2  // a pair on average
	margin   = 48 // more than the text as it stands
	fewPairs = 8
	// fewLetters are different ones: a text of fewer says nothing of the language.
	fewLetters = 8
)

// distinct counts the letters that a text has.
func distinct(text []byte) int {
	set := uint32(0)
	for _, c := range text {
		set |= 1 << letters[c]
	}
	return bits.OnesCount32(set &^ 1)
}

// bestTurn returns the turn that makes a text fit the language much better,
// straight if none does.
func bestTurn(text []byte) turn {
	as := read(text, straight)
	if as.n < fewPairs || distinct(text) < fewLetters {
		return straight
	}
	best, most := straight, as.sum+margin
	from := straight + 1
	if as.per(goodPair) { // the letters are as they should be, but for their order
		from = backwards
	}
	for t := from; t < allTurns; t++ {
		if f := read(text, t); f.sum > most && f.per(goodPair) {
			best, most = t, f.sum
		}
	}
	return best
}

// turns undoes the turning of what was decoded.
type turns struct{ run []byte }

func (u *turns) undo(t *Text) {
	how := bestTurn(t.Bytes[:min(len(t.Bytes), 512)])
	switch how {
	case straight:
		return
	case backwards:
		reverse(t.Bytes)
		slices.Reverse(t.At)
		t.Backwards = true
	default:
		for i, c := range t.Bytes {
			t.Bytes[i] = how.letter(c)
		}
	}
	for i := range t.At {
		t.At[i].Undone = true
	}
}
