package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// errEmpty refuses an empty value. A variable that a shell did not know must not
// turn "this policy" into "the default policy", or an expected hash into none.
var errEmpty = errors.New("the value is empty: give one or remove the setting")

// text is a given value as a flag would have it. Only a setting whose default is
// a number may be one in a file.
func (v values) text(name string, given any) (string, error) {
	_, err := strconv.Atoi(v.value[name])
	number := err == nil
	switch x := given.(type) {
	case string:
		if x == "" {
			return "", errEmpty
		}
		return x, nil
	case int64:
		if number {
			return strconv.FormatInt(x, 10), nil
		}
	}
	if number {
		return "", errors.New("want a whole number")
	}
	if example := v.value[name]; example != "" {
		return "", fmt.Errorf("want a text in quotes, such as %q", example)
	}
	return "", errors.New("want a text in quotes")
}

// checkVariables refuses names in small letters: two variables could set the
// same thing.
func checkVariables(environ []string) error {
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if rest, ours := strings.CutPrefix(name, envPrefix); ours && (rest == "" || rest != strings.ToUpper(rest)) {
			return fmt.Errorf("%s: unknown variable: remove it or correct its name, in capitals", name)
		}
	}
	return nil
}

// configError words why a configuration file was not read. origin is what named
// the file.
func configError(origin, name string, err error) error {
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		line, column := syntax.Position()
		return fmt.Errorf("%s:%d:%d: %s: correct the TOML", name, line, column, strings.TrimPrefix(syntax.Error(), "toml: "))
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s %s: %w: name a TOML file that can be read", origin, name, path.Err)
	}
	return fmt.Errorf("%s: %w", name, err)
}
