package measure

import (
	"maps"
	"math"
	"slices"

	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// Report is what a tally comes to.
type Report struct {
	PolicyVersion string      `json:"policy_version"`
	PolicyHash    string      `json:"policy_hash"`
	Files         int         `json:"files"`
	Rows          int         `json:"rows"`
	Interval      Interval    `json:"interval"`
	Positive      Table       `json:"positive"`
	Benign        Table       `json:"benign"`
	OutOfScope    Table       `json:"out_of_scope"`
	Thresholds    []Threshold `json:"thresholds"`
	Disclosures   Disclosures `json:"disclosures"`
}

// Interval says what the intervals are.
type Interval struct {
	Method string  `json:"method"`
	Level  float64 `json:"level"`
}

// Proportion is how many of n there were, with the interval of the rate. Without
// rows there is no rate.
type Proportion struct {
	N    int      `json:"n"`
	Hits int      `json:"hits"`
	Rate *float64 `json:"rate"`
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// Table is the rows of a class.
type Table struct {
	Total      Group   `json:"total"`
	BySource   []Group `json:"by_source"`
	ByCategory []Group `json:"by_category"` // of benign rows, that which was named
	ByLanguage []Group `json:"by_language"`
	ByLength   []Group `json:"by_length"`
}

// Group is a line of a table: how many rows were stopped. Those that were
// redacted or only warned of are not.
type Group struct {
	Name string `json:"name"`
	Proportion
	Redacted int `json:"redacted"`
	Warned   int `json:"warned"`
	// Named is how many of the positive rows that were stopped were so for
	// their own category. It is nil for other rows.
	Named *Proportion `json:"named,omitempty"`
}

// Threshold is how many rows reach the threshold of a category at a stage,
// whatever the other categories say.
type Threshold struct {
	Category  verdict.Category `json:"category"`
	Stage     string           `json:"stage"` // input or output
	Threshold float64          `json:"threshold"`
	Positive  Proportion       `json:"positive"` // of the rows of this category
	Benign    Proportion       `json:"benign"`
}

// Disclosures is how many rows would lead to a disclosure.
type Disclosures struct {
	Benign     Proportion   `json:"benign"`
	Positive   Proportion   `json:"positive"`
	OutOfScope Proportion   `json:"out_of_scope"`
	ByCategory []Disclosure `json:"by_category"`
}

// Disclosure is how many rows reach the disclosure threshold of a category. One
// that the policy does not set is UsualDisclosure, and nothing is disclosed.
type Disclosure struct {
	Category      verdict.Category `json:"category"`
	Threshold     float64          `json:"threshold"`
	Set           bool             `json:"set"`
	Benign        Proportion       `json:"benign"`
	Positive      Proportion       `json:"positive"`
	OutOfScope    Proportion       `json:"out_of_scope"`
	HighestBenign float64          `json:"highest_benign"` // confidence in a benign row
}

// Report returns what has been counted, of a policy with this hash.
func (t *Tally) Report(hash string, files int) *Report {
	r := &Report{
		PolicyVersion: t.policy.Version, PolicyHash: hash, Files: files, Rows: t.rows, Interval: Interval{"wilson", 0.95},
		Positive: t.table(Positive), Benign: t.table(Negative), OutOfScope: t.table(OutOfScope),
		Thresholds: []Threshold{},
	}
	var n [classes]int
	for i := range t.classes {
		n[i] = t.classes[i].total.n
	}
	of := func(rows *[classes]int, c Class) Proportion { return proportion(rows[c], n[c]) }
	d := &r.Disclosures
	d.Benign, d.Positive, d.OutOfScope = of(&t.anyDisclosed, Negative), of(&t.anyDisclosed, Positive), of(&t.anyDisclosed, OutOfScope)
	d.ByCategory = []Disclosure{}
	for i := range t.policy.Categories {
		c := &t.policy.Categories[i]
		for stage, threshold := range [stages]float64{input: c.InputThreshold, output: c.OutputThreshold} {
			if x := &t.reached[i][stage]; x.own+x.benign > 0 {
				name := [stages]string{"input", "output"}[stage]
				r.Thresholds = append(r.Thresholds, Threshold{c.Name, name, threshold, proportion(x.ownReached, x.own), proportion(x.benignReached, x.benign)})
			}
		}
		x := &t.disclosed[i]
		threshold, set := disclosureThreshold(c)
		d.ByCategory = append(d.ByCategory, Disclosure{c.Name, threshold, set, of(&x.rows, Negative), of(&x.rows, Positive), of(&x.rows, OutOfScope), x.highestBenign})
	}
	return r
}

func (t *Tally) table(class Class) Table {
	c := &t.classes[class]
	list := func(g groups, names []string) []Group {
		lines := []Group{}
		for _, name := range names {
			if cell := g[name]; cell != nil {
				lines = append(lines, group(name, cell, class))
			}
		}
		return lines
	}
	sorted := func(g groups) []string { return slices.Sorted(maps.Keys(g)) }
	table := Table{
		Total: group("total", &c.total, class), BySource: list(c.bySource, sorted(c.bySource)),
		ByLanguage: list(c.byLanguage, sorted(c.byLanguage)), ByLength: list(c.byLength, lengthClasses()),
	}
	switch class {
	case Positive:
		table.ByCategory = list(c.byCategory, names(t.policy.Categories))
	case Negative:
		// Each category could have been named of each row.
		named := groups{}
		for _, name := range names(t.policy.Categories) {
			cell := *c.byCategory.of(name)
			cell.n = c.total.n
			if cell.n > 0 {
				named[name] = &cell
			}
		}
		table.ByCategory = list(named, names(t.policy.Categories))
	default:
		table.ByCategory = list(c.byCategory, sorted(c.byCategory))
	}
	return table
}

func names(categories []policy.Category) (list []string) {
	for i := range categories {
		list = append(list, string(categories[i].Name))
	}
	return list
}

func group(name string, c *cell, class Class) Group {
	g := Group{Name: name, Proportion: proportion(c.stopped, c.n), Redacted: c.redacted, Warned: c.warned}
	if class == Positive {
		named := proportion(c.named, c.stopped)
		g.Named = &named
	}
	return g
}

func proportion(hits, n int) Proportion {
	p := Proportion{N: n, Hits: hits}
	if n > 0 {
		rate := float64(hits) / float64(n)
		low, high := Wilson(hits, n)
		p.Rate, p.Low, p.High = rounded(rate), rounded(low), rounded(high)
	}
	return p
}

// rounded leaves off the digits in which processors may differ.
func rounded(x float64) *float64 {
	x = math.Round(x*1e9) / 1e9
	return &x
}
