package disguise

import "unicode/utf8"

// plausible reports whether what was decoded is text: characters that print, most
// of them letters, digits and spaces. Of few bytes, all must be.
func plausible(d []byte) bool {
	if len(d) < 3 {
		return false
	}
	bad, good, words := 0, 0, 0
	for i := 0; i < len(d); {
		c := d[i]
		if c < utf8.RuneSelf {
			switch k := kinds[c]; {
			case k&(lower|upper) != 0:
				words++
			case k == digit || c == ' ' || c == '\n':
				good++
			case c < ' ' && c != '\t' && c != '\r' || c == 0x7f:
				bad++
			}
			i++
			continue
		}
		_, size := utf8.DecodeRune(d[i:])
		switch {
		case size > 1:
			words += size
		case i < 3 || len(d)-i < 4: // of a character that the end of a piece cut
		default:
			bad++
		}
		if bad*16 > len(d) {
			return false
		}
		i += size
	}
	if len(d) < shortText {
		return bad == 0 && (words+good)*8 >= len(d)*7 && words*2 >= len(d) && d[0] < utf8.RuneSelf
	}
	if bad*16 > len(d) {
		return false
	}
	return (words+good)*10 >= len(d)*6 || dots(d)
}

// shortText is a length below which a random run decodes to text now and then.
const shortText = 12

// wide reports whether d may be text in two bytes a character, of which the second
// is often 0.
func wide(d []byte) bool {
	if len(d) < 8 || len(d)%2 == 1 {
		return false
	}
	zeros := 0
	for i := 0; i < len(d); i += 2 {
		if d[i+1] == 0 {
			zeros++
			if d[i] == 0 {
				return false
			}
		}
	}
	return zeros*6 >= len(d)/2
}

// dots reports whether d is of what Morse code is written with.
func dots(d []byte) bool {
	for _, c := range d {
		if c != '.' && c != '-' && c != '/' && c != ' ' {
			return false
		}
	}
	return true
}
