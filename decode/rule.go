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
	// variants are the rules of an object here by the value of its member
	// "type"; "" is for an object that has none. other is what an object of any
	// other type counts as; where it is 0, or accepted, this rule is for it.
	variants map[string]*rule
	other    Opaque
	// without: an object here that has no member marked as its content counts as
	// this.
	without Opaque
	// opaque: anything but null here counts as this.
	opaque Opaque
	// numeric: a number here counts as this.
	numeric Opaque
	// link: a string here is a URL. One that does not hold what it stands for
	// leads elsewhere.
	link bool
	// complete: of an event of a stream, what stands here does not go on in
	// others. It repeats what others said in pieces, and is read by itself.
	complete bool
	// closes: an event of this rule ends its choice, or the whole if it is of
	// none; ends: nothing comes after it.
	closes, ends bool
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
	markA        // the coordinate A of all that the object holds
	markB        // the same of B
	markSequence // the number of a stream's event
	markContent  // what the object has to say, if it is not null
)

// text is the rule of a string of the given kind.
func text(k Kind) *rule { return &rule{kind: k} }

// singles adds members that are single to an object's.
func singles(members map[string]*rule, names ...string) map[string]*rule {
	if members == nil {
		members = make(map[string]*rule, len(names))
	}
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

// byType is the rule of an object that is read by its type.
func byType(other Opaque, variants map[string]*rule) *rule {
	for _, v := range variants {
		v.members = singles(v.members, "type")
	}
	return &rule{variants: variants, other: other, members: singles(nil, "type")}
}

// link is the rule of a URL, or of an object that has one, which counts as o.
func link(o Opaque) *rule {
	return &rule{opaque: o, link: true, members: map[string]*rule{"url": {link: true}}}
}

// opaque is the rule of what cannot be read, or of a list of it. An empty list
// holds nothing.
func opaque(o Opaque) *rule {
	r := &rule{opaque: o}
	r.items = r
	return r
}

// list is the rule of an array whose items are parts of their own.
func list(c coordinate, items *rule) *rule { return &rule{items: items, numbers: c} }

// listOnly is a list in a request. An object in its place is no item, and a server
// might still read it as one.
func listOnly(c coordinate, items *rule) *rule { return &rule{items: items, numbers: c, other: alien} }

// only is the rule of a string of the given kind, or null, and of nothing else.
func only(k Kind) *rule { return &rule{kind: k, other: alien} }
