package measure

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// printer writes a report's tables.
type printer struct {
	out   bytes.Buffer
	width int  // of the first column
	other bool // rows were redacted or warned of
}

// Print writes the report as text.
func (r *Report) Print(w io.Writer) error {
	p := printer{width: 24}
	tables := []struct {
		title, byCategory string
		table             *Table
	}{
		{"POSITIVE ROWS, of the policy's categories: a hit is a true positive", "by category", &r.Positive},
		{"BENIGN ROWS: a hit is a false positive", "by category named", &r.Benign},
		{"ROWS OUT OF SCOPE, of other harm: a hit is neither", "by category", &r.OutOfScope},
	}
	for _, t := range tables {
		p.other = p.other || t.table.Total.Redacted+t.table.Total.Warned > 0
		for _, g := range t.table.BySource {
			p.width = max(p.width, 2+utf8.RuneCountInString(g.Name))
		}
	}
	fmt.Fprintf(&p.out, "policy %s, %s\n%s of %s. A hit is a row that is stopped (BLOCK); intervals are Wilson's, at 95%%.\n",
		r.PolicyVersion, r.PolicyHash, counted(r.Rows, "row"), counted(r.Files, "file"))
	for _, t := range tables {
		if t.table.Total.N > 0 {
			p.table(t.title, t.byCategory, t.table)
		}
	}
	p.thresholds(r.Thresholds)
	p.disclosures(&r.Disclosures)
	_, err := w.Write(p.out.Bytes())
	return err
}

func (p *printer) table(title, byCategory string, t *Table) {
	fmt.Fprintf(&p.out, "\n%s\n%-*s %s", title, p.width, "", columns)
	if p.other {
		fmt.Fprintf(&p.out, " %8s %8s", "redacted", "warned")
	}
	if t.Total.Named != nil {
		p.out.WriteString("  category right")
	}
	p.out.WriteByte('\n')
	p.group(&t.Total, "")
	p.groups("by source", t.BySource)
	p.groups(byCategory, t.ByCategory)
	p.groups("by language", t.ByLanguage)
	p.groups("by length", t.ByLength)
}

func (p *printer) groups(title string, groups []Group) {
	fmt.Fprintf(&p.out, "%s\n", title)
	for i := range groups {
		p.group(&groups[i], "  ")
	}
}

func (p *printer) group(g *Group, indent string) {
	p.first(indent + g.Name)
	p.proportion(&g.Proportion)
	if p.other {
		fmt.Fprintf(&p.out, " %8d %8d", g.Redacted, g.Warned)
	}
	if g.Named != nil && g.Named.N > 0 {
		fmt.Fprintf(&p.out, "  %d of %d, %s", g.Named.Hits, g.Named.N, percent(g.Named.Rate))
	}
	p.out.WriteByte('\n')
}

// columns are the titles of a proportion's columns.
const columns = "       n     hits     rate      95% interval"

func (p *printer) proportion(x *Proportion) {
	fmt.Fprintf(&p.out, " %8d %8d  %7s  %7s %7s", x.N, x.Hits, percent(x.Rate), percent(x.Low), percent(x.High))
}

// first writes the first column. Not all characters are a byte.
func (p *printer) first(name string) {
	fmt.Fprintf(&p.out, "%s%*s", name, max(0, p.width-utf8.RuneCountInString(name)), "")
}

func percent(rate *float64) string {
	if rate == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100**rate)
}

func (p *printer) thresholds(thresholds []Threshold) {
	fmt.Fprintf(&p.out, "\nTHRESHOLDS: a hit is a row that reaches that of the category, whatever the others say\n%-*s %s\n", p.width, "", columns)
	for i := range thresholds {
		t := &thresholds[i]
		fmt.Fprintf(&p.out, "%s, %s at %v\n", t.Category, t.Stage, t.Threshold)
		p.line("  rows of the category", &t.Positive)
		p.line("  benign rows", &t.Benign)
	}
}

func (p *printer) line(name string, x *Proportion) {
	if x.N > 0 {
		p.first(name)
		p.proportion(x)
		p.out.WriteByte('\n')
	}
}

func (p *printer) disclosures(d *Disclosures) {
	fmt.Fprintf(&p.out, "\nDISCLOSURES: a hit is a row with a finding at or above a category's mandatory_disclosure_threshold\n%-*s %s\n", p.width, "", columns)
	p.line("benign rows", &d.Benign)
	p.line("positive rows", &d.Positive)
	p.line("rows out of scope", &d.OutOfScope)
	for i := range d.ByCategory {
		c := &d.ByCategory[i]
		note := ""
		if !c.Set {
			note = ", which the policy does not set: nothing is disclosed"
		}
		fmt.Fprintf(&p.out, "%s at %v%s\n", c.Category, c.Threshold, note)
		p.line("  benign rows", &c.Benign)
		p.line("  positive rows", &c.Positive)
		p.line("  rows out of scope", &c.OutOfScope)
		if c.Benign.N > 0 {
			fmt.Fprintf(&p.out, "  highest confidence in a benign row: %v\n", c.HighestBenign)
		}
	}
}

func counted(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
