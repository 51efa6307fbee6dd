package measure

import (
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/difflabai/confidential-safety/verdict"
)

// Label is what a row says of its text, and how long that is.
type Label struct {
	ID               string // as JSON; null if there is none that may be shown
	Category         verdict.Category
	Stage            verdict.Stage
	Source, Language string
	Bytes            int // of the text
}

// row is a line of a set. Its other members are ignored.
type row struct {
	ID       jsontext.Value `json:"id"`
	Text     *string        `json:"text"`
	Category *string        `json:"category"`
	Role     *string        `json:"role"`
	Harmful  *bool          `json:"harmful"`
	Source   *string        `json:"source"`
	Lang     *string        `json:"lang"`
}

// Labels are shown, so that they must not be able to hold a text: a name has no
// white space. Ids of another form are not shown.
var (
	nameForm = regexp.MustCompile(`^[\pL\pN][\pL\pN\pM._:/+@-]{0,99}$`)
	idForm   = regexp.MustCompile(`^("[\pL\pN\pM._:/+@#-]{1,128}"|-?[0-9]{1,32})$`)
)

// unknownLanguage is what the language of a row counts as that names none, by
// BCP 47.
const unknownLanguage = "und"

// Parse reads a line of a set. file is the source of a row that names none. No
// error quotes the line.
func Parse(line []byte, file string) (Label, string, error) {
	if !utf8.Valid(line) {
		return Label{}, "", errors.New("not valid UTF-8: correct it")
	}
	var r row
	if err := json.Unmarshal(line, &r); err != nil {
		// The library's words quote the input.
		return Label{}, "", errors.New(`not an object with "text", "category" and "role": correct it`)
	}
	for _, m := range []struct {
		name  string
		value *string
	}{{"text", r.Text}, {"category", r.Category}, {"role", r.Role}} {
		if m.value == nil {
			return Label{}, "", fmt.Errorf("%q is missing: add it", m.name)
		}
	}
	l := Label{ID: "null", Source: file, Language: unknownLanguage, Bytes: len(*r.Text)}
	var err error
	if l.Category, err = verdict.ParseCategory(*r.Category); err != nil {
		return Label{}, "", errors.New(`"category" is no name of one: want BENIGN, or a risk such as CBRN`)
	}
	if r.Harmful != nil && *r.Harmful == (l.Category == Benign) {
		return Label{}, "", errors.New(`"category" and "harmful" contradict each other: correct one`)
	}
	switch *r.Role {
	case "prompt":
		l.Stage = verdict.PreInferenceGate
	case "completion", "response":
		l.Stage = verdict.PostInferenceGate
	default:
		return Label{}, "", errors.New(`"role" is unknown: want prompt, completion or response`)
	}
	if idForm.Match(r.ID) {
		l.ID = string(r.ID)
	}
	if err := name(r.Source, "source", &l.Source); err != nil {
		return Label{}, "", err
	}
	return l, *r.Text, name(r.Lang, "lang", &l.Language)
}

// name reads a label that may be left out.
func name(value *string, member string, into *string) error {
	if value == nil || *value == "" {
		return nil
	}
	if !nameForm.MatchString(*value) {
		return fmt.Errorf("%q is no name: want up to 100 letters, digits and any of . _ : / + @ -", member)
	}
	*into = *value
	return nil
}
