package policy

import (
	"maps"
	"slices"

	"github.com/difflabai/confidential-safety/verdict"
)

// Surface is a place where words can hide from a classifier of text. Each is a
// key of [unreadable] in the policy.
type Surface string

// The surfaces. What is on the last three is not in a request at all: the model's
// server has it, or fetches it.
const (
	Images        Surface = "images"
	Audio         Surface = "audio"
	Video         Surface = "video"
	Files         Surface = "files"
	TokenIDs      Surface = "token_ids"
	ChatTemplates Surface = "chat_templates"
	RemoteURLs    Surface = "remote_urls"
	Stored        Surface = "stored"
	HostedTools   Surface = "hosted_tools"
)

// Surfaces returns all of them.
func Surfaces() []Surface {
	return []Surface{Images, Audio, Video, Files, TokenIDs, ChatTemplates, RemoteURLs, Stored, HostedTools}
}

// unreadable notes the surfaces that pass unread.
func (d *document) unreadable(f *file) error {
	all := Surfaces()
	for _, key := range slices.Sorted(maps.Keys(f.Unreadable)) {
		at := "unreadable." + key
		switch given := f.Unreadable[key]; {
		case !slices.Contains(all, Surface(key)):
			return d.fail(at, unknownKey, at)
		case given == verdict.Allow.String():
			d.policy.Unread = append(d.policy.Unread, Surface(key))
		case given != verdict.Block.String():
			return d.fail(at, `%s must be "BLOCK", the default, or "ALLOW", which lets it pass unread`, key)
		}
	}
	return nil
}
