package inspect

import (
	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
)

// unread is what the policy lets pass unread, in the decoder's words. A surface
// that is not known here stays refused.
func unread(p *policy.Policy) (accept decode.Opaque) {
	for _, s := range p.Unread {
		switch s {
		case policy.Images:
			accept |= decode.Images
		case policy.Audio:
			accept |= decode.Audio
		case policy.Video:
			accept |= decode.Video
		case policy.Files:
			accept |= decode.Files
		case policy.TokenIDs:
			accept |= decode.TokenIDs
		case policy.ChatTemplates:
			accept |= decode.Templates
		case policy.RemoteURLs:
			accept |= decode.Remote
		case policy.Stored:
			accept |= decode.Stored
		case policy.HostedTools:
			accept |= decode.Hosted
		}
	}
	return accept
}
