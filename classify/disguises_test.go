package classify

import (
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf16"
)

// disguised is a way to write a text so that a reader of plain text misses it.
type disguised struct {
	name  string
	do    func(string) string
	place where
}

// where says what is found of a text in a disguise.
type where int

const (
	exactly   where = iota // what stands for the phrase
	run                    // all that is undone as one with it
	somewhere              // something of that
)

// each writes every character by a function.
func each(f func(r rune) string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, r := range s {
			b.WriteString(f(r))
		}
		return b.String()
	}
}

// pick writes letters as those of a list, from a on.
func pick(list string) func(string) string {
	letters := []rune(list)
	return each(func(r rune) string {
		if r >= 'a' && r <= 'z' {
			return string(letters[r-'a'])
		}
		return string(r)
	})
}

func shift(k int) func(string) string {
	return each(func(r rune) string {
		switch {
		case r >= 'a' && r <= 'z':
			r = 'a' + (r-'a'+rune(k))%26
		case r >= 'A' && r <= 'Z':
			r = 'A' + (r-'A'+rune(k))%26
		}
		return string(r)
	})
}

func reversed(s string) string {
	var b strings.Builder
	r := []rune(s)
	for i := range r {
		b.WriteRune(r[len(r)-1-i])
	}
	return b.String()
}

func replacing(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func uuencoded(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		line := s[:min(45, len(s))]
		s = s[len(line):]
		b.WriteByte(byte(len(line)) + ' ')
		for len(line)%3 != 0 {
			line += "\x00"
		}
		for i := 0; i < len(line); i += 3 {
			v := int(line[i])<<16 | int(line[i+1])<<8 | int(line[i+2])
			for k := 18; k >= 0; k -= 6 {
				b.WriteByte(byte(v>>k&63) + ' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

var morseOf = strings.Fields(".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..")

func morsed(s string) string {
	var words []string
	for _, w := range strings.Fields(strings.ToLower(s)) {
		var signs []string
		for _, r := range w {
			switch {
			case r >= 'a' && r <= 'z':
				signs = append(signs, morseOf[r-'a'])
			case r >= '1' && r <= '5':
				signs = append(signs, "....."[:r-'0']+"-----"[:'5'-r])
			case r == '-':
				signs = append(signs, "-....-")
			case r == '\'':
				signs = append(signs, ".----.")
			case r == '.':
				signs = append(signs, ".-.-.-")
			}
		}
		words = append(words, strings.Join(signs, " "))
	}
	return strings.Join(words, " / ")
}

func a85(s string) string {
	b := make([]byte, ascii85.MaxEncodedLen(len(s)))
	return string(b[:ascii85.Encode(b, []byte(s))])
}

func wideBase64(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func selectors(s string) string {
	out := "\U0001F600"
	for _, c := range []byte(s) {
		if c < 16 {
			out += string(rune(0xfe00 + int(c)))
		} else {
			out += string(rune(0xe0100 + int(c) - 16))
		}
	}
	return out
}

func bitsOf(zero, one string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		b.WriteString("ok")
		for _, c := range []byte(s) {
			for k := 7; k >= 0; k-- {
				if c>>k&1 == 1 {
					b.WriteString(one)
				} else {
					b.WriteString(zero)
				}
			}
		}
		return b.String()
	}
}

// points writes the numbers of characters, numbers those of their bytes.
func points(format string) func(string) string {
	return each(func(r rune) string { return fmt.Sprintf(format, r) })
}

func numbers(format, sep string) func(string) string {
	return func(s string) string {
		var list []string
		for _, c := range []byte(s) {
			list = append(list, fmt.Sprintf(format, c))
		}
		return strings.Join(list, sep)
	}
}

func spacedBy(sep, words string) func(string) string {
	return func(s string) string {
		var out []string
		for _, w := range strings.Fields(s) {
			out = append(out, strings.Join(strings.Split(w, ""), sep))
		}
		return strings.Join(out, words)
	}
}

func atbashed(s string) string {
	return each(func(r rune) string {
		switch {
		case r >= 'a' && r <= 'z':
			r = 'a' + 'z' - r
		case r >= 'A' && r <= 'Z':
			r = 'A' + 'Z' - r
		}
		return string(r)
	})(s)
}

func jsonOf(s string) string {
	b, _ := json.Marshal(map[string]string{"text": "x\n" + s})
	return string(b)
}

func then(fs ...func(string) string) func(string) string {
	return func(s string) string {
		for _, f := range fs {
			s = f(s)
		}
		return s
	}
}

func hexOf(s string) string { return hex.EncodeToString([]byte(s)) }

// disguises has those of garak's encoding probes, and more.
var disguises = []disguised{
	{"upper case", strings.ToUpper, exactly},
	{"full width", each(func(r rune) string {
		if r > ' ' && r < 0x7f {
			r += 0xfee0
		}
		return string(r)
	}), exactly},
	{"mathematical bold", each(func(r rune) string {
		if unicode.IsLower(r) && r < 0x7f {
			r += 0x1d41a - 'a'
		}
		return string(r)
	}), exactly},
	{"circled", each(func(r rune) string {
		if unicode.IsLower(r) && r < 0x7f {
			r += 0x24d0 - 'a'
		}
		return string(r)
	}), exactly},
	{"zalgo", each(func(r rune) string { return string(r) + "\u0300\u0336\u0489" }), exactly},
	{"accents", replacing("a", "á", "e", "è", "o", "ö", "i", "í"), exactly},
	{"zero width spaces", each(func(r rune) string { return string(r) + "\u200b" }), exactly},
	{"soft hyphens", each(func(r rune) string { return string(r) + "\u00ad" }), exactly},
	{"bidi marks", each(func(r rune) string { return "\u202a" + string(r) + "\u202c" }), exactly},
	{"tags", each(func(r rune) string { return string(r + 0xe0000) }), exactly},
	{"variation selectors within", each(func(r rune) string { return string(r) + "\ufe0f" }), exactly},
	{"emoji smuggling", selectors, exactly},
	{"sneaky bits", bitsOf("\u2062", "\u2064"), exactly},
	{"zero width bits", bitsOf("\u200b", "\u200c"), exactly},
	{"Cyrillic", replacing("a", "а", "e", "е", "o", "о", "p", "р", "c", "с", "x", "х", "i", "і"), exactly},
	{"Greek", replacing("o", "ο", "v", "ν", "i", "ι", "a", "α"), exactly},
	{"small capitals", pick("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ"), exactly},
	{"squared", each(func(r rune) string {
		if unicode.IsLower(r) && r < 0x7f {
			return string(0x1f170 + r - 'a')
		}
		return string(r)
	}), exactly},
	{"regional indicators", each(func(r rune) string {
		if unicode.IsLower(r) && r < 0x7f {
			return string(0x1f1e6+r-'a') + "\u200b"
		}
		return string(r)
	}), exactly},
	{"leet", replacing("a", "4", "e", "3", "i", "1", "o", "0", "t", "7"), exactly},
	{"leet with signs", replacing("a", "@", "s", "$", "i", "!"), exactly},
	{"leet with l", replacing("l", "1", "o", "0"), exactly},
	{"spaced out", spacedBy(" ", "  "), exactly},
	{"points", spacedBy(".", " "), exactly},
	{"hyphens", spacedBy("-", " "), exactly},
	{"underscores for spaces", replacing(" ", "_"), exactly},
	{"base64", base64Of, run},
	{"base64 for URLs, no padding", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }, run},
	{"base64 of UTF-16", wideBase64, run},
	{"base32", func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }, run},
	{"base16", hexOf, run},
	{"base16, capitals", func(s string) string { return strings.ToUpper(hexOf(s)) }, run},
	{"base16, spaced", numbers("%02x", " "), exactly},
	{"base16, 0x", numbers("0x%02X", ", "), exactly},
	{"backslash x", numbers(`\x%02x`, ""), exactly},
	{"octal escapes", numbers(`\%03o`, ""), exactly},
	{"JSON escapes", points(`\u%04x`), exactly},
	{"JSON", jsonOf, exactly},
	{"JSON in JSON", then(jsonOf, jsonOf), somewhere},
	{"binary", numbers("%08b", " "), exactly},
	{"decimal", numbers("%d", " "), exactly},
	{"ASCII85", a85, run},
	{"ASCII85 with brackets", func(s string) string { return "<~" + a85(s) + "~>" }, run},
	{"uuencode", uuencoded, somewhere},
	{"quoted-printable", numbers("=%02X", ""), exactly},
	{"quoted-printable, soft breaks", func(s string) string {
		return s[:len(s)/3] + "=\n" + s[len(s)/3:len(s)*2/3] + "=\n" + s[len(s)*2/3:]
	}, somewhere},
	{"percent", numbers("%%%02X", ""), exactly},
	{"percent, spaces only", url.PathEscape, exactly},
	{"percent twice", numbers("%%25%02x", ""), exactly},
	{"HTML, decimal", points("&#%d;"), exactly},
	{"HTML, hexadecimal", points("&#x%x;"), exactly},
	{"HTML, escaped again", then(points("&#%d;"), html.EscapeString), exactly},
	{"ROT13", shift(13), exactly},
	{"Caesar 3", shift(3), exactly},
	{"Caesar 21", shift(21), exactly},
	{"Atbash", atbashed, exactly},
	{"backwards", reversed, exactly},
	{"words backwards", func(s string) string {
		w := strings.Fields(s)
		for i := range w {
			w[i] = reversed(w[i])
		}
		return strings.Join(w, " ")
	}, exactly},
	{"Morse", morsed, exactly},
	{"Braille", pick("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵"), exactly},
	{"percent of ROT13", then(shift(13), url.PathEscape), exactly},
	{"base64 of ROT13", then(shift(13), base64Of), run},
	{"ROT13 of base64", then(base64Of, shift(13)), run},
	{"base64 backwards", then(base64Of, reversed), somewhere},
	{"base64 twice", then(base64Of, base64Of), run},
	{"base64 three times", then(base64Of, base64Of, base64Of), run},
	{"base64 of base16", then(hexOf, base64Of), run},
	{"percent of base64", then(base64Of, numbers("%%%02X", "")), run},
	{"base64 of leet", then(replacing("a", "4", "e", "3", "o", "0"), base64Of), run},
	{"base64 of JSON escapes", then(points(`\u%04x`), base64Of), run},
}
