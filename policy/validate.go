package policy

import (
	"io/fs"
	"path"
	"regexp"
	"time"

	"github.com/difflabai/confidential-safety/verdict"
)

// thresholds are the defaults of the five known categories: input, output.
var thresholds = map[verdict.Category][2]float64{
	verdict.Bioterror:   {0.85, 0.90},
	verdict.CSAM:        {0.70, 0.70},
	verdict.CyberAttack: {0.80, 0.85},
	verdict.CBRN:        {0.85, 0.90},
	verdict.Weapons:     {0.90, 0.90},
}

// defaultClassifierTimeout is how long a verified model has by default.
const defaultClassifierTimeout = 5 * time.Second

var (
	versionForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$`)
	addressForm = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)
)

func (d *document) validate(f *file) error {
	for _, step := range []func(*file) error{
		d.head, d.streaming, d.unreadable, d.categories, d.agent, d.authorities, d.provider,
	} {
		if err := step(f); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) head(f *file) error {
	p := &f.Policy
	switch {
	case p.Version == nil:
		return d.fail("policy", `[policy] has no version: add one, such as version = "1.0.0"`)
	case !versionForm.MatchString(*p.Version):
		return d.fail("policy.version", "version must be 1 to 64 letters, digits and .+_-")
	case p.PolicyID == nil:
		return d.fail("policy", `[policy] has no policy_id: add one, such as policy_id = "example"`)
	case !versionForm.MatchString(*p.PolicyID):
		return d.fail("policy.policy_id", "policy_id must be 1 to 64 letters, digits and .+_-")
	case p.HashAlgorithm != nil && *p.HashAlgorithm != "sha256":
		return d.fail("policy.hash_algorithm", `hash_algorithm must be "sha256"`)
	}
	d.policy.Version, d.policy.ID = *p.Version, *p.PolicyID
	return nil
}

func (d *document) streaming(f *file) error {
	d.policy.Streaming = Window
	if f.Streaming.Mode == nil {
		return nil
	}
	switch s := Streaming(*f.Streaming.Mode); s {
	case Window, Full:
		d.policy.Streaming = s
		return nil
	default:
		return d.fail("streaming.mode", `mode must be "window" or "full"`)
	}
}

func (d *document) categories(f *file) error {
	if len(f.RiskCategories) == 0 {
		return d.fail("risk_categories", "no [[risk_categories]]: a policy that judges nothing cannot be served")
	}
	for i := range f.RiskCategories {
		at := indexed("risk_categories", i)
		c, err := d.categoryAt(&f.RiskCategories[i], at)
		if err != nil {
			return err
		}
		if d.policy.category(c.Name) != nil {
			return d.fail(at+".name", "category %s is defined twice: join the two", c.Name)
		}
		d.policy.Categories = append(d.policy.Categories, c)
	}
	return nil
}

func (d *document) categoryAt(f *fileCategory, at string) (c Category, err error) {
	if f.Name == "" {
		return c, d.fail(at, "category has no name: add name")
	}
	if c.Name, err = verdict.ParseCategory(f.Name); err != nil {
		return c, d.fail(at+".name", "%v", err)
	}
	if f.Action == "" {
		return c, d.fail(at, "category %s has no action: add BLOCK, REDACT or WARN", c.Name)
	}
	if c.Action, err = verdict.ParseAction(f.Action); err != nil {
		return c, d.fail(at+".action", "%v", err)
	}
	defaults, known := thresholds[c.Name]
	for i, t := range []struct {
		key   string
		given *float64
		into  *float64
	}{
		{"input_threshold", f.InputThreshold, &c.InputThreshold},
		{"output_threshold", f.OutputThreshold, &c.OutputThreshold},
	} {
		switch {
		case t.given == nil && !known:
			return c, d.fail(at, "category %s has no %s: add one above 0 and at most 1", c.Name, t.key)
		case t.given == nil:
			*t.into = defaults[i]
		case !probability(*t.given):
			return c, d.fail(at+"."+t.key, "%s must be above 0 and at most 1", t.key)
		default:
			*t.into = *t.given
		}
	}
	if t := f.DisclosureThreshold; t != nil {
		if !probability(*t) {
			return c, d.fail(at+".mandatory_disclosure_threshold", "mandatory_disclosure_threshold must be above 0 and at most 1")
		}
		c.DisclosureThreshold = t
	}
	if len(f.Classifiers) == 0 {
		return c, d.fail(at, "category %s has no classifiers: nothing would ever be found", c.Name)
	}
	for i := range f.Classifiers {
		cl, err := d.classifierAt(&f.Classifiers[i], indexed(at+".classifiers", i))
		if err != nil {
			return c, err
		}
		c.Classifiers = append(c.Classifiers, cl)
	}
	return c, nil
}

func (d *document) classifierAt(f *fileClassifier, at string) (c Classifier, err error) {
	c.Type = ClassifierType(f.Type)
	remote := c.Type == VerifiedModel
	for _, k := range []struct {
		key                 string
		given, takes, wants bool
	}{
		{"pattern_file", f.PatternFile != nil, c.Type == PatternMatch, true},
		{"weights_file", f.WeightsFile != nil, c.Type == LocalModel, false},
		{"endpoint", f.Endpoint != nil, remote, true},
		{"expected_signing_address", f.ExpectedSigningAddress != nil, remote, true},
	} {
		switch {
		case f.Type == "":
			return c, d.fail(at, "classifier has no type: add pattern_match, local_model or verified_model")
		case k.given && !k.takes:
			return c, d.fail(at+"."+k.key, "a classifier of type %q takes no %s: remove it", f.Type, k.key)
		case !k.given && k.takes && k.wants:
			return c, d.fail(at, "a classifier of type %q needs %s: add it", f.Type, k.key)
		}
	}
	switch c.Type {
	case LocalModel:
		if f.WeightsFile != nil {
			c.WeightsFile, err = d.fileAt(*f.WeightsFile, at, "weights_file")
		}
	case PatternMatch:
		c.PatternFile, err = d.fileAt(*f.PatternFile, at, "pattern_file")
	case VerifiedModel:
		if c.Endpoint, err = endpoint(*f.Endpoint); err != nil {
			return c, d.fail(at+".endpoint", "endpoint %v", err)
		}
		if c.ExpectedSigningAddress = *f.ExpectedSigningAddress; !addressForm.MatchString(c.ExpectedSigningAddress) {
			return c, d.fail(at+".expected_signing_address", "expected_signing_address must be 0x and 40 hex digits")
		}
	default:
		return c, d.fail(at+".type", "classifier type %q is unknown: use pattern_match, local_model or verified_model", f.Type)
	}
	if err != nil {
		return c, err
	}
	if f.TimeoutMS != nil {
		if !remote {
			return c, d.fail(at+".timeout_ms", "a classifier of type %q takes no timeout_ms: remove it", f.Type)
		}
		if *f.TimeoutMS < 1 || *f.TimeoutMS > 600_000 {
			return c, d.fail(at+".timeout_ms", "timeout_ms must be from 1 to 600000")
		}
		c.Timeout = time.Duration(*f.TimeoutMS) * time.Millisecond
	} else if remote {
		c.Timeout = defaultClassifierTimeout
	}
	return c, nil
}

// fileAt notes a file that a key of a table names.
func (d *document) fileAt(name, at, key string) (string, error) {
	if !fs.ValidPath(name) || name == "." || path.Clean(name) != name {
		return "", d.fail(at+"."+key, "%s %q must be a path below the policy file, with slashes and without ..", key, name)
	}
	d.files = append(d.files, fileRef{name, at + "." + key, key})
	return name, nil
}

// probability reports whether x is above 0 and at most 1. NaN is not.
func probability(x float64) bool { return x > 0 && x <= 1 }
