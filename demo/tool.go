package demo

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// tool is a tool that a request offers: chat completions put its name into a
// function, the other APIs beside its type.
type tool struct {
	Type     string `json:"type"`
	Name     string `json:"name"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

func (t *tool) name() string { return cmp.Or(t.Function.Name, t.Name) }

// toolChoice is tool_choice in its forms: a mode, or the name of a function
// that must be called.
type toolChoice struct{ mode, name string }

// The modes of tool_choice.
const (
	modeNone     = "none"
	modeAuto     = "auto"
	modeRequired = "required"
)

// UnmarshalJSON reads either form; null and objects that name no function mean
// auto.
func (c *toolChoice) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return json.Unmarshal(b, &c.mode)
	}
	var named tool
	if err := json.Unmarshal(b, &named); err != nil {
		return err
	}
	c.name = named.name()
	return nil
}

// checkTools refuses a choice of tools that are not there, so that every call
// the model makes is to a tool of the request.
func (q *question) checkTools() *fault {
	switch c := q.choice; c.mode {
	case "", modeNone, modeAuto, modeRequired:
		if c.mode == modeRequired && len(q.tools) == 0 {
			return invalid("tool_choice", "tool_choice needs a function among the tools.")
		}
		if c.name != "" && !slices.Contains(q.tools, c.name) {
			return invalid("tool_choice", "tool_choice names a function that is not among the tools.")
		}
		return nil
	default:
		return invalid("tool_choice", "tool_choice must be none, auto, required or a function.")
	}
}

// functions lists the names of the functions among the tools.
func functions(tools []tool) []string {
	var names []string
	for _, t := range tools {
		if name := t.name(); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// call is a tool call that the model makes.
type call struct{ name, arguments string }

// noArguments are the arguments of a call that was given none.
const noArguments = "{}"

// chooseCall says which tool the model calls, nil for none: the one that
// tool_choice names, else the one that the prompt names, else, where a call is
// required, the first.
func chooseCall(q *question) *call {
	names := q.tools
	if len(names) == 0 || q.choice.mode == modeNone {
		return nil
	}
	if name := q.choice.name; name != "" {
		names = []string{name}
	}
	if c := spokenCall(q.prompt(), names); c != nil {
		return c
	}
	if q.choice.name != "" || q.choice.mode == modeRequired {
		return &call{names[0], noArguments}
	}
	return nil
}

var (
	callForm = regexp.MustCompile("(?i)\\bcall\\s+[`\"']?([a-z0-9_.-]+)[`\"']?")
	withForm = regexp.MustCompile(`(?i)^\s+with\b:?\s*`)
)

// spokenCall reads the first "call NAME" or "call NAME with {json}" in the
// prompt whose name is one of the given ones. The arguments are the prompt's
// own bytes.
func spokenCall(prompt string, names []string) *call {
	for _, m := range callForm.FindAllStringSubmatchIndex(prompt, -1) {
		name := prompt[m[2]:m[3]]
		if !slices.Contains(names, name) {
			// The name may end a sentence.
			name = strings.TrimRight(name, ".")
			if !slices.Contains(names, name) {
				continue
			}
		}
		return &call{name, spokenArguments(prompt[m[1]:])}
	}
	return nil
}

func spokenArguments(rest string) string {
	with := withForm.FindString(rest)
	if with == "" {
		return noArguments
	}
	var raw json.RawMessage
	err := json.NewDecoder(strings.NewReader(rest[len(with):])).Decode(&raw)
	if err != nil || raw[0] != '{' {
		return noArguments
	}
	return string(raw)
}
