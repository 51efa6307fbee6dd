package disguise

import (
	"unicode"
	"unicode/utf8"
)

// How sure it is that a character stands for the letter that it looks like.
const (
	never  = iota
	native // in a word of ASCII but for such, of a text that is there as it is, too
	often  // in a word with letters of ASCII: its own language has a use for it
	mostly // in a word of nothing else, too
	always
)

type like struct {
	letter byte
	sure   uint8
}

// lookalikes are letters that the compatibility decomposition leaves alone and that
// look like one of ASCII, in the order of what they look like. What they are alike
// to is Unicode's data for UTS #39, and what generators of fancy text use.
var lookalikes = func() map[rune]like {
	m := make(map[rune]like)
	add := func(sure uint8, groups string) {
		letter := byte('a')
		for _, r := range groups {
			if r == ' ' {
				letter++
				continue
			}
			m[r] = like{letter, sure}
		}
	}
	// Small capitals, letters upside down, with hooks and strokes, in boxes.
	add(always, "ᴀɐɑⱥ ʙƀɓƃ ᴄɔƈȼ ᴅɖɗ ᴇǝɘɛɇ ꜰɟƒ ɢɡɠǥ ʜɥɦⱨ ɪɨɩᴉ ᴊȷɾɉʝ ᴋʞƙⱪ ʟɫɭƚ ᴍɯɱ ɴɲɳƞ ᴏɵ ᴘƥᵽ ʠɋ ʀɹɽɍ ꜱʂ ᴛʇƭʈ ᴜʉ ᴠʌʋ ᴡʍ  ʏʎɏƴ ᴢʐƶȥ")
	// Cyrillic, Greek, Armenian, Coptic, Lisu, Cherokee.
	add(mostly, "аАαΑᎪ ΒВᏴ сСϲϹᏟᑕ ԁᎠᗪ еЕЕΕᎬ Ϝᖴ ԍᏀ һΗНᎻ іІιΙӀⵏ јЈᎫ ΚКᏦ ӏᏞ ΜМᎷ ΝոИ оОοΟօՕ рРρΡᏢ ԛ Ꭱᖇ ѕЅᏚ ΤТᎢ υսᑌ ѵνᏙ ԝѡᎳ хХχΧ уУүΥҮγ ΖᏃ")
	add(often, "λд вβбьъ ¢ ∂ є€ғ  ց нћђ їϊ  кκ £ℓ мʍ пηήи θσө þ  гяѓ  т†τ цμ √ шщωώ ж ў ʒ")
	// Latin letters that languages use.
	add(native, "   đ ə   ħ ı   ł   øœ      ŧ      ")
	// Regional indicators and letters in dark circles and squares.
	for i := range rune(26) {
		letter := like{byte('a' + i), always}
		m[0x1f1e6+i], m[0x1f150+i], m[0x1f170+i] = letter, letter, letter
	}
	// Braille: dots 1 to 5 as Louis Braille had them, in his order.
	for i, r := range []rune("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵") {
		m[r] = like{byte('a' + i), always}
	}
	return m
}()

// lookalike returns the letter that a character looks like, or 0.
func lookalike(r rune) byte { return lookalikes[r].letter }

// Signs of Braille that say what follows: a capital, a number.
const (
	brailleCapital = 0x2820
	brailleNumber  = 0x283c
)

// likes counts the characters of a word that are not of ASCII.
type likes struct {
	all     int // that look like others
	surely  int
	native  int
	others  int // letters of Latin script that look like no other
	mostly  int
	foreign int // letters that look like no other
}

// count counts a character, and reports whether it may be within a word.
func (l *likes) count(r rune) bool {
	switch k := lookalikes[r]; {
	case k.letter != 0:
		l.all++
		switch k.sure {
		case always:
			l.surely++
		case mostly:
			l.mostly++
		case native:
			l.native++
		}
		return true
	case r == brailleCapital || r == brailleNumber:
		return true
	case unicode.IsLetter(r):
		if unicode.Is(unicode.Latin, r) {
			l.others++
		} else {
			l.foreign++
		}
		return true
	}
	return unicode.Is(unicode.Mn, r) || noShow(r)
}

// mislead reports whether the characters that look like others are there for that,
// beside own characters of ASCII, or among words that mislead. Only a text that is
// there as it is, too, is asked for letters that languages use.
func (l *likes) mislead(own int, among, top bool) bool {
	switch {
	case l.all == 0:
		return false
	case l.native == l.all:
		return top && own > 0 && l.others == 0
	case own > 0 || l.surely > 0:
		return true
	}
	return l.foreign == 0 && l.mostly == l.all && (l.all >= minLikes || among)
}

// minLikes is how many letters in a row that all look like others are taken for
// those.
const minLikes = 3

// likeness appends a word from p up to end with its look-alikes as the letters that
// they look like.
func likeness(t []byte, p, end int, out *Text) {
	for p < end {
		if t[p] < utf8.RuneSelf {
			out.keep(t[p:p+1], p)
			p++
			continue
		}
		r, size := utf8.DecodeRune(t[p:])
		switch like := lookalike(r); {
		case like != 0:
			out.add(like, p, size)
		case r == brailleCapital || r == brailleNumber:
		default:
			out.keep(t[p:p+size], p)
		}
		p += size
	}
}
