package demo

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// help is the answer to a prompt that asks for nothing to be repeated. No
// filter should mind its words.
const help = "Hello! I am the demo model. I can repeat words for you. Try this: Repeat after me: good morning."

var (
	verbForm = regexp.MustCompile(`(?i)\b(?:repeat|say|echo|print|write|reply\s+with|answer\s+with)\b`)

	// Fillers stand between the verb and the words. After the words only those
	// are taken off that are hardly ever part of them.
	beforeForm = regexp.MustCompile(`(?i)^\s*(?:please|after\s+me|back|exactly|the\s+words?|the\s+following|this|to\s+me)\b[\s,]*`)
	afterForm  = regexp.MustCompile(`(?i)(?:[\s,]+(?:please|after\s+me|back\s+to\s+me))+[.!]?\s*$`)
)

// repeated finds the words that a prompt asks for, "" for none. After the
// first verb that asks, they are what follows a colon, else what stands in
// quotes, else what remains without fillers.
func repeated(prompt string) string {
	verb := verbForm.FindStringIndex(prompt)
	if verb == nil {
		return ""
	}
	rest := prompt[verb[1]:]
	from, to, quoted := quotation(rest)
	colon := colonIndex(rest)
	if colon >= 0 && (!quoted || colon < from || colon >= to) {
		return strings.TrimSpace(rest[colon+1:])
	}
	if quoted {
		return rest[from:to]
	}
	for {
		filler := beforeForm.FindString(rest)
		if filler == "" {
			break
		}
		rest = rest[len(filler):]
	}
	return strings.TrimSpace(afterForm.ReplaceAllString(rest, ""))
}

// colonIndex finds the first colon that introduces something, -1 for none:
// those in 10:30 and https:// are part of the words.
func colonIndex(s string) int {
	for i := range len(s) {
		if s[i] != ':' || strings.HasPrefix(s[i+1:], "//") {
			continue
		}
		if i > 0 && i+1 < len(s) && isDigit(s[i-1]) && isDigit(s[i+1]) {
			continue
		}
		return i
	}
	return -1
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// quotation finds the first text in quotes that is not empty: s[from:to],
// without the quotes.
func quotation(s string) (from, to int, ok bool) {
	unclosed := "" // quotes that do not close from here on: each is sought once
	before := ' '
	for i, open := range s {
		previous := before
		before = open
		if !strings.ContainsRune("\"'“`", open) || strings.ContainsRune(unclosed, open) {
			continue
		}
		if open == '\'' && isWordRune(previous) {
			continue // an apostrophe
		}
		from = i + utf8.RuneLen(open)
		length := closing(s[from:], open)
		switch {
		case length > 0:
			return from, from + length, true
		case length < 0:
			unclosed += string(open)
		}
	}
	return 0, 0, false
}

// closing finds where a quotation ends that the quote given has opened, -1 for
// nowhere.
func closing(s string, open rune) int {
	switch open {
	case '“':
		return strings.IndexRune(s, '”')
	case '\'':
		for i := range len(s) {
			if s[i] != '\'' {
				continue
			}
			if next, _ := utf8.DecodeRuneInString(s[i+1:]); i+1 == len(s) || !isWordRune(next) {
				return i
			}
		}
		return -1
	default:
		return strings.IndexRune(s, open)
	}
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
