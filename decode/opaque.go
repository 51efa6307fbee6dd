package decode

// Opaque is a set of things that a body may hold and no reader of text can
// read. Each is refused unless the policy lets it through unread.
type Opaque uint16

// What cannot be read. The first group is in the body, but not as text; the
// second is elsewhere, and the body only says where.
const (
	Images    Opaque = 1 << iota // inline
	Audio                        // inline
	Video                        // inline
	Files                        // inline, or named by an id
	TokenIDs                     // prompts and embeddings as numbers
	Templates                    // programs that make words of words

	Remote // what the model server is to fetch from a URL
	Stored // earlier responses, conversations and prompts that the model server keeps
	Hosted // tools that the model server runs, whose results only it sees

	// alien is what no description of the API names. It cannot be let through.
	alien
)

// absent are those that are not in the body.
const absent = Remote | Stored | Hosted

// refuse returns the error of a value that counts as o, nil if that is
// accepted.
func (w *walker) refuse(o Opaque) error {
	switch refused := o &^ w.limits.Accept; {
	case refused == 0:
		return nil
	case refused&absent != 0:
		return w.fail(Elsewhere)
	default:
		return w.fail(Unreadable)
	}
}
