package policy

import (
	"fmt"
	"slices"

	"filippo.io/age"

	"github.com/difflabai/confidential-safety/verdict"
)

func (d *document) authorities(f *file) error {
	for i := range f.DesignatedAuthorities {
		a := &f.DesignatedAuthorities[i]
		at := indexed("designated_authorities", i)
		switch {
		case a.Name == "":
			return d.fail(at, "authority has no name: add name")
		case a.Jurisdiction == "":
			return d.fail(at, "authority %q has no jurisdiction: add one, such as \"US\"", a.Name)
		case len(a.Categories) == 0:
			return d.fail(at, "authority %q has no categories: add those that it is told of", a.Name)
		}
		out := Authority{Name: a.Name, Jurisdiction: a.Jurisdiction, PublicKey: a.PublicKey}
		for j, name := range a.Categories {
			if d.policy.category(verdict.Category(name)) == nil {
				return d.fail(indexed(at+".categories", j), "authority %q has the category %q, which the policy does not define", a.Name, name)
			}
			out.Categories = append(out.Categories, verdict.Category(name))
		}
		if !recipient(a.PublicKey) {
			return d.fail(at+".public_key", "public_key of %q is no age recipient: put the authority's own (age1...) there, a placeholder cannot be encrypted to", a.Name)
		}
		if a.ReportingEndpoint != "" {
			var err error
			if out.ReportingEndpoint, err = endpoint(a.ReportingEndpoint); err != nil {
				return d.fail(at+".reporting_endpoint", "reporting_endpoint %v", err)
			}
		}
		d.policy.Authorities = append(d.policy.Authorities, out)
	}
	return nil
}

// recipient reports whether s is an age recipient, classic or post-quantum.
func recipient(s string) bool {
	if _, err := age.ParseX25519Recipient(s); err == nil {
		return true
	}
	_, err := age.ParseHybridRecipient(s)
	return err == nil
}

// CheckJurisdiction refuses a policy that would have to disclose to nobody: one
// with a disclosure threshold for a category that no authority of the
// jurisdiction is designated for.
func (p *Policy) CheckJurisdiction(jurisdiction string) error {
	for i := range p.Categories {
		c := &p.Categories[i]
		if c.DisclosureThreshold == nil {
			continue
		}
		if !slices.ContainsFunc(p.Authorities, func(a Authority) bool {
			return a.Jurisdiction == jurisdiction && slices.Contains(a.Categories, c.Name)
		}) {
			return fmt.Errorf("category %s has a mandatory_disclosure_threshold, but no authority of jurisdiction %q: designate one or remove the threshold", c.Name, jurisdiction)
		}
	}
	return nil
}
