package decode

// A path stands for the names of the members that lead to a string from a choice
// or, outside of choices, from the top of an event; or for the field of a line.
// Two strings with one path continue each other from event to event.
//
// It is an FNV-1a hash: a collision joins two runs of words into one, which
// both are then read as part of; it hides neither.
const (
	pathStart uint64 = 14695981039346656037
	pathPrime uint64 = 1099511628211
	pathTop   uint64 = pathStart + 1 // of an event
	pathLine  uint64 = pathStart + 2 // of a line's field
	pathWhole uint64 = pathStart + 3 // of all texts of an answer as one
)

// Bytes that no UTF-8 text holds keep names, and names and numbers, apart.
const (
	endOfName   = 0xff
	endOfNumber = 0xfe
)

// pathBelow is the path of a member.
func pathBelow(path uint64, name []byte) uint64 {
	for _, c := range name {
		path = (path ^ uint64(c)) * pathPrime
	}
	return (path ^ endOfName) * pathPrime
}

// pathNumbered is a path through an array whose items name their number.
func pathNumbered(path uint64, number int32) uint64 {
	path = (path ^ uint64(number)) * pathPrime //nolint:gosec // only told apart, never counted
	return (path ^ endOfNumber) * pathPrime
}
