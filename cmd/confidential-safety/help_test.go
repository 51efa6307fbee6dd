package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commands calls f with every command and its words behind the program's name.
func commands(cmd *cobra.Command, path []string, f func(cmd *cobra.Command, path []string)) {
	f(cmd, path)
	for _, c := range cmd.Commands() {
		commands(c, append(path[:len(path):len(path)], c.Name()), f)
	}
}

func TestHelp(t *testing.T) {
	n := 0
	commands(rootCommand(), nil, func(cmd *cobra.Command, path []string) {
		n++
		name := strings.Join(path, " ")
		for _, args := range [][]string{
			append(path[:len(path):len(path)], "--help"), append(path[:len(path):len(path)], "-h"), append([]string{"help"}, path...),
		} {
			r := call(t, "", args...)
			if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, "Usage:\n") || !strings.Contains(r.stdout, cmd.Short) && cmd.Long == "" {
				t.Errorf("%q: exit code %d, stderr %q", args, r.code, r.stderr)
			}
			if _, examples, ok := strings.Cut(r.stdout, "\nExamples:\n"); !ok || !strings.Contains(examples, "confidential-safety "+name) {
				t.Errorf("%q: no example of %q in\n%s", args, name, r.stdout)
			}
			for line := range strings.Lines(r.stdout) {
				if strings.HasPrefix(line, " ") && strings.TrimSpace(line) == "" {
					t.Errorf("%q: trailing space", args)
				}
			}
		}
	})
	if n < 13 {
		t.Errorf("%d commands", n)
	}
}

// Whatever is wrong with a call is said in one line with exit code 2, which
// names the command's help, and nothing is done.
func TestWrongCalls(t *testing.T) {
	commands(rootCommand(), nil, func(cmd *cobra.Command, path []string) {
		for _, more := range [][]string{{"--nosuchflag"}, {"-Z"}, {"one", "two"}} {
			args := append(path[:len(path):len(path)], more...)
			r := call(t, "", args...)
			if r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, "--help\n") {
				t.Errorf("%q: %+v", args, r)
			}
		}
		if cmd.HasSubCommands() {
			if r := call(t, "", path...); r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, "--help\n") {
				t.Errorf("%q: %+v", path, r)
			}
		}
	})
}

func TestOneLine(t *testing.T) {
	r := call(t, "", "no\nsuch\tthing\x1b[2J")
	if r.code != 2 || r.stdout != "" || strings.ContainsAny(r.stderr, "\x1b\t") {
		t.Errorf("%+v", r)
	}
	if got := oneLine("a\nb\rc\u0085d é"); got != "a b c d é" {
		t.Errorf("%q", got)
	}
}
