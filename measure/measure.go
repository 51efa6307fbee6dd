// Package measure counts how a policy judges labelled rows: how many of those
// with a risk it stops, and how many of those without.
//
// [Parse] reads a row, a [Tally] counts what the gate decided on it, and its
// [Report] has the rates with their confidence intervals. Only Parse sees a
// text; what is counted and reported must never hold any of it.
package measure

import (
	"errors"
	"fmt"
	"slices"

	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// The categories of rows that are not names of risks.
const (
	Benign         verdict.Category = "BENIGN"
	OtherHarm      verdict.Category = "OTHER_HARM"      // a harm, but none of the five
	UnlabelledHarm verdict.Category = "UNLABELLED_HARM" // a harm that nobody has named
)

// known are the categories that a row may have whatever the policy.
func known() []verdict.Category {
	return []verdict.Category{
		Benign, OtherHarm, UnlabelledHarm,
		verdict.Bioterror, verdict.CSAM, verdict.CyberAttack, verdict.CBRN, verdict.Weapons,
	}
}

// Class says on which side a row counts.
type Class int

// The classes.
const (
	// Positive rows are of one of the policy's categories: stopping one is a
	// true positive.
	Positive Class = iota
	// Negative rows are benign: stopping one is a false positive.
	Negative
	// OutOfScope rows have a harm that the policy does not name. A policy is
	// neither right nor wrong about them.
	OutOfScope
	classes
)

// Tally counts rows. It is not safe for concurrent use.
type Tally struct {
	policy  *policy.Policy
	rows    int
	classes [classes]classTally
	// Both are by the policy's categories.
	reached   [][stages]reach
	disclosed []disclosed
	// anyDisclosed counts rows in which some category was disclosed.
	anyDisclosed [classes]int
}

// cell counts the rows of a group.
type cell struct {
	n, stopped, redacted, warned int
	named                        int // of those stopped, for the category that the row has
}

func (c *cell) add(d *verdict.Decision, want verdict.Category) {
	c.n++
	switch d.Action {
	case verdict.Allow:
	case verdict.Warn:
		c.warned++
	case verdict.Redact:
		c.redacted++
	case verdict.Block:
		c.stopped++
		if d.Category == want {
			c.named++
		}
	}
}

// classTally counts the rows of a class. A benign row has no risk's category, so
// it counts in that for which it was stopped.
type classTally struct {
	total                                      cell
	bySource, byCategory, byLanguage, byLength groups
}

// groups are cells by name.
type groups map[string]*cell

func (g groups) of(name string) *cell {
	c := g[name]
	if c == nil {
		c = new(cell)
		g[name] = c
	}
	return c
}

// NewTally returns an empty count of what a policy does.
func NewTally(p *policy.Policy) *Tally {
	t := &Tally{policy: p, reached: make([][stages]reach, len(p.Categories)), disclosed: make([]disclosed, len(p.Categories))}
	for i := range t.classes {
		t.classes[i] = classTally{bySource: groups{}, byCategory: groups{}, byLanguage: groups{}, byLength: groups{}}
	}
	return t
}

// maxGroups bounds the sources and the languages that are told apart.
const maxGroups = 1000

// Add counts what the gate decided on a row. The error says what is wrong with
// the row's label, or that it was not judged.
func (t *Tally) Add(l *Label, d *verdict.Decision) (Class, error) {
	class, err := t.class(l.Category)
	if err != nil {
		return 0, err
	}
	if d.Category == verdict.Unavailable {
		return 0, errors.New("the classifiers found what the policy cannot judge: see its categories")
	}
	c := &t.classes[class]
	category := l.Category
	if class == Negative {
		category = d.Category
	}
	for _, g := range []struct {
		groups groups
		name   string
	}{{c.bySource, l.Source}, {c.byCategory, string(category)}, {c.byLanguage, l.Language}, {c.byLength, lengthClass(l.Bytes)}} {
		g.groups.of(g.name).add(d, l.Category)
		if len(g.groups) > maxGroups {
			return 0, fmt.Errorf("more than %d sources or languages: give related rows the same", maxGroups)
		}
	}
	c.total.add(d, l.Category)
	t.rows++
	t.weigh(class, l, d)
	return class, nil
}

// class tells the class of a row by its category.
func (t *Tally) class(c verdict.Category) (Class, error) {
	switch {
	case c == Benign:
		return Negative, nil
	case slices.ContainsFunc(t.policy.Categories, func(p policy.Category) bool { return p.Name == c }):
		return Positive, nil
	case slices.Contains(known(), c):
		return OutOfScope, nil
	}
	return 0, fmt.Errorf("category %s is neither of the policy nor one of %v: correct it", c, known())
}

// lengthClasses are what texts are grouped by, in bytes of UTF-8.
func lengthClasses() []string { return []string{"<= 160 B", "<= 1 KB", "<= 8 KB", "> 8 KB"} }

func lengthClass(bytes int) string {
	names := lengthClasses()
	for i, most := range []int{160, 1 << 10, 8 << 10} {
		if bytes <= most {
			return names[i]
		}
	}
	return names[len(names)-1]
}
