package decode

import (
	"maps"
	"strings"
)

// chatContent is the content of a message: a string or a list of parts. Models
// are fed refusals among the parts, and parts that are strings (vLLM takes
// them), as one text with the others.
func chatContent() *rule {
	words := func(names ...string) *rule { return withMedia(object(texted(Content, names...))) }
	parts := map[string]*rule{
		"text":           words("text"),
		"refusal":        words("refusal"),
		"thinking":       words("thinking", "text"),
		"reasoning":      words("thinking", "text"),
		"tool_reference": words("name"),
		"file":           withMedia(opaque(Files)),
	}
	for name, r := range media() {
		parts[name] = withMedia(opaque(r.opaque))
	}
	part := byType(alien, parts)
	part.kind = Content
	// A server may also take one part for the list of it.
	whole := byType(alien, withUntyped(parts, words("text", "refusal")))
	whole.kind, whole.items, whole.joined = Content, part, true
	return whole
}

// media are the members by which a part has media. vLLM looks for them whatever
// the part's type is, if there is a uuid, by which it keeps media from earlier
// requests.
func media() map[string]*rule {
	members := map[string]*rule{}
	for name, o := range map[string]Opaque{
		"image_url": Images, "image_embeds": Images, "image_pil": Images,
		"audio_url": Audio, "audio_embeds": Audio, "input_audio": Audio,
		"video_url": Video, "video_embeds": Video, "prompt_embeds": TokenIDs,
	} {
		members[name] = opaque(o)
		if strings.HasSuffix(name, "_url") {
			members[name] = link(o)
		}
	}
	return members
}

// withMedia adds what a part may have besides what its type says.
func withMedia(part *rule) *rule {
	members := media()
	members["uuid"] = opaque(Stored)
	maps.Copy(members, part.members)
	part.members = members
	return part
}

// texted are members that are strings of the given kind.
func texted(k Kind, names ...string) map[string]*rule {
	members := make(map[string]*rule, len(names))
	for _, name := range names {
		members[name] = text(k)
	}
	return members
}

// texts is the rule of a part that is text.
func texts(k Kind) *rule {
	r := byType(alien, map[string]*rule{"text": object(map[string]*rule{"text": text(k)})})
	r.kind = k
	return r
}

// withUntyped adds a variant for an object that names no type.
func withUntyped(variants map[string]*rule, r *rule) map[string]*rule {
	all := maps.Clone(variants)
	all[""] = r
	return all
}
