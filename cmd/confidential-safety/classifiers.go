package main

import (
	"context"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/classify/model"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// classifiers makes what a policy asks for. A type that this version does not
// have is an error: a policy must not be served with less than it asks for.
func classifiers(b *policy.Bundle) (classify.Classifier, error) {
	for i := range b.Policy.Categories {
		c := &b.Policy.Categories[i]
		for _, cl := range c.Classifiers {
			if cl.Type == policy.VerifiedModel {
				return nil, fmt.Errorf("%s: category %s asks for a classifier of type %q, which is not in this version: use pattern_match or local_model", b.Files[0].Name, c.Name, cl.Type)
			}
		}
	}
	patterns, err := patternClassifier(b)
	if err != nil {
		return nil, err
	}
	var members []classify.Classifier
	if patterns != nil {
		members = append(members, patterns)
	}
	locals, err := localClassifiers(b)
	if err != nil {
		return nil, err
	}
	for _, l := range locals {
		members = append(members, l)
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("%s: no category has a classifier: add one", b.Files[0].Name)
	}
	return classify.Views(classify.Ensemble(members...)), nil
}

// localClassifiers makes one local model of each weights that a policy names,
// for all categories that name them.
func localClassifiers(b *policy.Bundle) ([]*classify.Local, error) {
	categories := make(map[string][]verdict.Category)
	lowest := make(map[string]float64)
	for i := range b.Policy.Categories {
		c := &b.Policy.Categories[i]
		for _, cl := range c.Classifiers {
			if cl.Type == policy.LocalModel && !slices.Contains(categories[cl.WeightsFile], c.Name) {
				categories[cl.WeightsFile] = append(categories[cl.WeightsFile], c.Name)
				if t, ok := lowest[cl.WeightsFile]; !ok || t > min(c.InputThreshold, c.OutputThreshold) {
					lowest[cl.WeightsFile] = min(c.InputThreshold, c.OutputThreshold)
				}
			}
		}
	}
	var locals []*classify.Local
	for _, file := range slices.Sorted(maps.Keys(categories)) {
		w, err := weights(b, file)
		if err != nil {
			return nil, err
		}
		id := string(policy.LocalModel)
		if file != "" {
			id += ":" + path.Base(file)
		}
		l, err := classify.NewLocal(id, w, categories[file], lowest[file])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.Files[0].Name, err)
		}
		locals = append(locals, l)
	}
	return locals, nil
}

// weights reads those of a file of the policy, or those of the program.
func weights(b *policy.Bundle, file string) (*model.Weights, error) {
	if file == "" {
		return model.Default()
	}
	data, ok := b.File(file)
	if !ok {
		return nil, fmt.Errorf("%s: weights_file %q is not in the bundle", b.Files[0].Name, file)
	}
	return model.Parse(filepath.Join(b.Dir, file), data)
}

// patternClassifier compiles the pattern files of a policy, whose rules must do
// what their own examples say. A policy without any gives nil.
func patternClassifier(b *policy.Bundle) (*classify.Patterns, error) {
	rules, err := patternRules(b)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	patterns, err := classify.NewPatterns(rules)
	if err != nil {
		return nil, err
	}
	if err := patterns.CheckExamples(context.Background(), rules); err != nil {
		return nil, err
	}
	return patterns, nil
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

// keywordsDisclose names the categories in which words alone could lead to a
// disclosure, which should need more than that.
func keywordsDisclose(b *policy.Bundle, rules []classify.Rule) (warnings []string) {
	most := classify.Highest(rules)
	for i := range b.Policy.Categories {
		c := &b.Policy.Categories[i]
		if t := c.DisclosureThreshold; t != nil && most[c.Name] >= *t {
			warnings = append(warnings, fmt.Sprintf("category %s: mandatory_disclosure_threshold %v is not above %v, which its phrases and rules reach by themselves: words alone lead to a disclosure; raise it", c.Name, *t, most[c.Name]))
		}
	}
	return warnings
}
