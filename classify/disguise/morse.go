package disguise

// minMorse is how many letters in a row are taken for Morse code.
const minMorse = 3

// widestGap is how many bytes may stand between letters or words.
const widestGap = 8

// morse decodes Morse code: letters with spaces between, words with a slash or more
// spaces.
func morse(text []byte, s, e int, final bool, out *Text) int {
	if c := text[s]; c != '.' && c != '-' && c != 0xc2 && c != 0xe2 {
		return 0
	}
	end, letters, signs, apart := s, 0, 0, false
	for i := s; end-s < MaxRun; {
		word, n := morseSign(text, i)
		if i+max(n, 1) >= len(text) && !final {
			out.reset()
			return -1
		}
		c, ok := morseLetters[word]
		switch {
		case n > 0 && ok:
			if apart {
				out.add(' ', end-s, i-end)
			}
			apart = false
			out.add(c, i-s, n)
			if letters, signs = letters+1, signs+len(word); letters == 2*minMorse && signs <= letters {
				out.reset()
				return 0 // dashes, or points
			}
		case n == 0 && i < len(text) && (text[i] == '/' || text[i] == '|') && (i+1 == len(text) || isSpace(text[i+1])):
			apart = letters > 0
			i++
		default:
			n = 0
		}
		if n > 0 {
			i += n
			end = i
		} else if !apart {
			break
		}
		gap := 0
		for i < len(text) && isSpace(text[i]) && gap <= widestGap {
			i, gap = i+1, gap+1
		}
		if gap == 0 || gap > widestGap {
			break
		}
		apart = apart || gap > 1 || text[i-1] != ' '
	}
	if letters < minMorse || signs <= letters {
		out.reset()
		return 0
	}
	return end - s
}

// morseSign reads dots and dashes, of the kinds that print so, up to 6, with a 1
// before them: the key of a letter.
func morseSign(text []byte, i int) (word string, n int) {
	var signs [6]byte
	k := 0
	for i+n < len(text) {
		sign, size := byte(0), 1
		switch rest := text[i+n:]; {
		case rest[0] == '.':
			sign = '.'
		case rest[0] == '-' || rest[0] == '_':
			sign = '-'
		case len(rest) >= 2 && rest[0] == 0xc2 && rest[1] == 0xb7: // ·
			sign, size = '.', 2
		case len(rest) >= 3 && rest[0] == 0xe2 && rest[1] == 0x80 && (rest[2] == 0xa2 || rest[2] == 0xa4): // • ․
			sign, size = '.', 3
		case len(rest) >= 3 && rest[0] == 0xe2 && (rest[1] == 0x80 && 0x90 <= rest[2] && rest[2] <= 0x95 || rest[1] == 0x88 && rest[2] == 0x92): // dashes, −
			sign, size = '-', 3
		}
		if sign == 0 {
			break
		}
		if k == len(signs) {
			return "", n + 1
		}
		signs[k] = sign
		k++
		n += size
	}
	return string(signs[:k]), n
}

var morseLetters = map[string]byte{
	".-": 'a', "-...": 'b', "-.-.": 'c', "-..": 'd', ".": 'e', "..-.": 'f', "--.": 'g', "....": 'h', "..": 'i',
	".---": 'j', "-.-": 'k', ".-..": 'l', "--": 'm', "-.": 'n', "---": 'o', ".--.": 'p', "--.-": 'q', ".-.": 'r',
	"...": 's', "-": 't', "..-": 'u', "...-": 'v', ".--": 'w', "-..-": 'x', "-.--": 'y', "--..": 'z',
	"-----": '0', ".----": '1', "..---": '2', "...--": '3', "....-": '4', ".....": '5', "-....": '6', "--...": '7',
	"---..": '8', "----.": '9', ".-.-.-": '.', "--..--": ',', "..--..": '?', "-.-.--": '!', ".----.": '\'',
	"-....-": '-', "-..-.": '/', "---...": ':', "-...-": '=', "-.-.-.": ';', "...-..-": '$', ".--.-.": '@',
	"-.--.": '(', "-.--.-": ')', ".-..-.": '"', "..--.-": '_', ".-...": '&', ".-.-.": '+',
}
