package classify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodRule = "@set a\napple\n@end\n@set b\nbread\n@end\n@rule r\nconfidence 0.9\nall {a} {b}\nhit apple bread\nmiss apple\n@end\n"

// Every error names its place and says what to do, in one line.
func TestRuleErrors(t *testing.T) {
	if _, err := ParsePatterns("f", []byte(goodRule)); err != nil {
		t.Fatal(err)
	}
	many := "@set m\n"
	for i := range maxSetSize + 1 {
		many += fmt.Sprintf("literal %d\n", i)
	}
	for _, tc := range []struct{ old, new, want string }{
		{"@set a", "@sett a", `f:1:1: unknown directive "@sett": want @set NAME, @rule NAME or @end; a phrase starts with a letter or digit`},
		{"@set a", "  @set A", `f:1:8: @set "A": want a name of 1 to 48 lower-case letters, digits, - and _`},
		{"@set a", "@set", `f:1:5: @set "": want a name`},
		{"@set b", "@set a", `f:4:6: set {a} is in line 1 already`},
		{"apple\n@end", "@end", `f:1:1: set {a} is empty: add a literal or remove it`},
		{"apple\n@end\n@set b", "apple\n@set b", `f:3:1: @set a of line 1 is still open: end it with @end`},
		{"@rule r", "@end\n@rule r", `f:7:1: @end without @set or @rule before it: remove it`},
		{"apple\n@end", "apple\n@end a", `f:3:6: @end stands alone: remove what follows it`},
		{"apple\n", "apple, , pear\n", `f:2:7: nothing between commas: remove one`},
		{"apple\n", "ap*le\n", `f:2:3: * within a literal: it may only end one, as in weaponi*`},
		{"apple\n", "pear, apple *\n", `f:2:7: * behind a space`},
		{"apple\n", "pear, Äpple, apple\n", `f:2:15: same literal as in line 2: remove one`},
		{"apple\n", "pear, ab\n", `f:2:7: literal of 2 characters when normalised: at least 3 are needed`},
		{"apple\n", "pear, $ab\n", `f:2:7: "$" at the start of a literal is reserved`},
		{"apple\n", "apple, {c}\n", `f:2:8: no set {c} in this file: add it or correct its spelling`},
		{"apple\n", "apple, {a}\n", `f:2:8: set {a} contains itself: remove it here`},
		{"apple\n", "apple, {a b}\n", `f:2:8: "{a": want names of sets in braces, as in {place}`},
		{"@set a\napple", many + "@end\n@set a\napple, {m}", `f:2005:8: more than 2000 literals in a group: split it`},
		{"@rule r", "@rule r\n@rule s", `f:8:1: @rule r of line 7 is still open`},
		{"miss apple\n@end\n", "miss apple\n", `f:7:1: @rule r of line 7 is still open`},
		{"miss apple\n@end\n", "miss apple\n@end\n@rule r\n", `f:13:7: rule r is in line 7 already`},
		{"confidence 0.9\n", "", `f:7:1: rule r has no confidence: add one, from 0.01 to 0.99`},
		{"confidence 0.9", "confidence 0.999", `f:8:12: confidence "0.999": want a number from 0.01 to 0.99`},
		{"confidence 0.9", "confidence NaN", `f:8:12: confidence "NaN": want a number`},
		{"confidence 0.9", "confidence  0x1p-1", `f:8:13: confidence "0x1p-1": want a number`},
		{"confidence 0.9", "confidence", `f:8:1: confidence says nothing`},
		{"confidence 0.9", "confidence 0.9\nconfidence 0.8", `f:9:1: confidence is in line 8 already: remove one`},
		{"confidence 0.9", "confidance 0.9", `f:8:1: unknown keyword "confidance": want confidence, all, `},
		{"all {a} {b}", "all {a} {c}", `f:9:9: no set {c} in this file`},
		{"all {a} {b}", "all {a} b", `f:9:9: "b": want names of sets in braces`},
		{"all {a} {b}", "all {a} {a}", `f:9:9: "apple" is in {a} and in {a}, so one word would count twice in the rule`},
		{"all {a} {b}", "all {a}", `f:7:1: rule r has fewer than two groups that must meet`},
		{"all {a} {b}", "any {a} {b}", `f:7:1: rule r has fewer than two groups that must meet`},
		{"all {a} {b}", "then {a}", `f:9:6: then wants two sets or more`},
		{"all {a} {b}", "all {a} {b} {a} {b} {a} {b} {a}", `f:7:1: rule r has 7 groups: at most 6 are allowed`},
		{"all {a} {b}", "all {a} {b}\nnear 0", `f:10:6: near "0": want a number from 1 to 512`},
		{"all {a} {b}", "all {a} {b}\nnear 513", `f:10:6: near "513": want a number from 1 to 512`},
		{"all {a} {b}", "all {a} {b}\nnear 1.5", `f:10:6: near "1.5": want a whole number`},
		{"all {a} {b}", "all {a} {b}\nstage in", `f:10:7: stage "in": want input, output or both`},
		{"all {a} {b}", "all {a} {b}\nlang English", `f:10:6: lang "English": want a language tag`},
		{"all {a} {b}", "all {a} {b}\nweight {a}", `f:10:11: weight "": want a number from 0.001 to 0.5`},
		{"all {a} {b}", "all {a} {b}\nweight {a} {b} 0.1", `f:10:8: weight wants one set and a number`},
		{"all {a} {b}", "all {a} {b}\nunless {b}", `f:10:8: "bread" is in {b} and in {b}`},
		{"hit apple bread\n", "", `f:7:1: rule r needs examples: add a line hit`},
		{"miss apple\n", "", `f:7:1: rule r needs examples: add a line hit`},
		{"hit apple bread", "hit", `f:10:1: hit says nothing`},
		{"hit apple bread", "hit " + strings.Repeat("x", 1025), `f:10:1: at most 64 examples of 1024 bytes`},
		{"@rule r", "@set c\ncherry\n@end\n@rule r", `f:7:1: no rule uses set {c}: use it or remove it`},
		{"@set a", "apple\x01\n@set a", `f:1:6: control character in a phrase: remove it`},
		{"@set a", "{a}\n@set a", `f:1:1: "{" at the start of a line is reserved for rules`},
	} {
		text := strings.Replace(goodRule, tc.old, tc.new, 1)
		if strings.HasSuffix(tc.old, "@end\n") && !strings.Contains(goodRule, tc.old) {
			t.Fatalf("nothing to replace: %q", tc.old)
		}
		list, err := ParsePatterns("f", []byte(text))
		var e *SyntaxError
		if !errors.As(err, &e) || list != nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q for %q: %v, want %s", tc.new, tc.old, err, tc.want)
		}
	}
}

// Whatever the file, it is parsed or refused at a place that it has, and what is
// parsed compiles.
func FuzzParsePatterns(f *testing.F) {
	f.Add(goodRule)
	f.Add(zoo)
	files, err := filepath.Glob("../policy/default/patterns/*.txt")
	if err != nil || len(files) != 5 {
		f.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data[len(data)-2000:]))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			t.Skip("out of the interesting range")
		}
		list, err := ParsePatterns("f", []byte(text))
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || list != nil {
				t.Fatalf("%v with %d patterns", err, len(list))
			}
			lines := strings.Split(text, "\n")
			if e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > len(lines[e.Line-1])+1 || strings.Contains(e.Error(), "\n") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		rules := make([]Rule, len(list))
		for i := range list {
			rules[i] = Rule{list[i], "X", "x"}
			if c := list[i].highest(); !(c > 0 && c < 0.999) {
				t.Fatalf("%q: confidence %v", text, c)
			}
		}
		if _, err := NewPatterns(rules); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
