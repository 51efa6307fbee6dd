package decode

// rule describes the JSON that may stand at one place of an API's bodies. A nil
// rule knows nothing of it: every string below is text of kind Other or, within
// a choice of a stream, Unknown.
type rule struct {
	kind    Kind             // of a string that stands here
	members map[string]*rule // of an object, by exact name
	items   *rule            // of an array

	// single: a string that stands here is no part of the model's words, such
	// as an id or a role. It is judged by itself and so never waits for more.
	single bool
	// joined: the strings below an array are one run of words, read twice:
	// with line breaks between them, and without.
	joined bool
	// numbers says which coordinate of a place the items of an array set: by
	// the member that is marked as their index where a stream's have one, else
	// by their position.
	numbers coordinate
	// types are the values that the member "type" of an object here may have.
	// Others name what is not text (an image, a file) and cannot be read.
	// They are given as they stand in JSON, with their quotes.
	types []string
	// untyped: an object here may also have no type.
	untyped bool
	// unreadable: anything but null here cannot be read as text.
	unreadable bool
	// shadow: the value repeats text of the response in another form.
	shadow bool
	// mark is what else the reader needs to know of the value.
	mark mark
}

type coordinate uint8

const (
	noCoordinate coordinate = iota
	coordinateA
	coordinateB
)

type mark uint8

const (
	noMark mark = iota
	markID
	markCreated
	markModel
	markFinish   // of a choice: it is over once this is not null
	markIndex    // the item's number
	markMayIndex // the same, if it is one
	markType     // names the object's kind, see types
)

// text is the rule of a string of the given kind.
func text(k Kind) *rule { return &rule{kind: k} }

// singles adds members that are single to an object's.
func singles(members map[string]*rule, names ...string) map[string]*rule {
	for _, name := range names {
		members[name] = &rule{single: true}
	}
	return members
}

// unknown is the rule of what a stream's choice holds and no description
// names. Only what repeats from event to event in such structures is single.
func unknown() *rule {
	r := object(singles(map[string]*rule{"index": {mark: markMayIndex, single: true}},
		"id", "type", "object", "role", "format"))
	r.items = r
	return r
}

// object is the rule of an object with the given members.
func object(members map[string]*rule) *rule { return &rule{members: members} }

// list is the rule of an array whose items are parts of their own.
func list(c coordinate, items *rule) *rule { return &rule{items: items, numbers: c} }
