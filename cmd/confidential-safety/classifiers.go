package main

import (
	"fmt"
	"path"
	"path/filepath"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/policy"
)

// classifiers makes what a policy asks for. A type that this version does not
// have is an error: a policy must not be served with less than it asks for.
func classifiers(b *policy.Bundle) (classify.Classifier, error) {
	for i := range b.Policy.Categories {
		c := &b.Policy.Categories[i]
		for _, cl := range c.Classifiers {
			if cl.Type != policy.PatternMatch {
				return nil, fmt.Errorf("%s: category %s asks for a classifier of type %q, which is not in this version: use pattern_match", b.Files[0].Name, c.Name, cl.Type)
			}
		}
	}
	rules, err := patternRules(b)
	if err != nil {
		return nil, err
	}
	patterns, err := classify.NewPatterns(rules)
	if err != nil {
		return nil, err
	}
	return classify.Ensemble(patterns), nil
}

// patternRules reads the pattern files of a policy.
func patternRules(b *policy.Bundle) (rules []classify.Rule, err error) {
	for i := range b.Policy.Categories {
		c := &b.Policy.Categories[i]
		for _, cl := range c.Classifiers {
			if cl.Type != policy.PatternMatch {
				continue
			}
			data, ok := b.File(cl.PatternFile)
			if !ok {
				return nil, fmt.Errorf("%s: pattern_file %q is not in the bundle", b.Files[0].Name, cl.PatternFile)
			}
			patterns, err := classify.ParsePatterns(filepath.Join(b.Dir, cl.PatternFile), data)
			if err != nil {
				return nil, err
			}
			id := string(policy.PatternMatch) + ":" + path.Base(cl.PatternFile)
			for _, p := range patterns {
				rules = append(rules, classify.Rule{Pattern: p, Category: c.Name, ClassifierID: id})
			}
		}
	}
	return rules, nil
}
