package classify

// Why is a word of a text by which the local model judged it.
type Why struct {
	Start, End int64 // in bytes of the text
	// Score is what the word adds: above 0 it speaks for harm.
	Score float64
}

// Why names the words of a window by what they add to its score, those that
// speak for harm first. The text is what a match of the local model covers. It
// is for a policy's author, never for a log.
func (l *Local) Why(text string) []Why {
	var f folder
	f.write([]byte(text))
	f.close()
	var all []Why
	for _, c := range l.weights.Contributions(l.tables, f.out) {
		start, end := f.source(c.Start, c.End)
		all = append(all, Why{start, end, c.Score})
	}
	return all
}
