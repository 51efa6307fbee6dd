package classify

// Normalised is the form of a text in which it is compared with patterns and
// read by the local model.
func Normalised(text string) []byte { return fold(text) }
