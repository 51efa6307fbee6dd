package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// given is where settings come from in a test.
type given struct {
	file  string // TOML; "" for none
	env   []string
	flags []string
}

func (g given) load(t *testing.T) (values, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addFlags(flags, true)
	args := g.flags
	if g.file != "" {
		name := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(name, []byte(g.file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args[:len(args):len(args)], "--config", name)
	}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return load(flags, g.env)
}

func TestPrecedence(t *testing.T) {
	const file = `listen = "127.0.0.1:1"`
	env, flag := []string{"CONFIDENTIAL_SAFETY_LISTEN=127.0.0.1:2", "HOME=/"}, []string{"--listen", "127.0.0.1:3"}
	for name, c := range map[string]struct {
		given
		want, origin string
	}{
		"default":      {given{}, "127.0.0.1:8443", "--listen"},
		"file":         {given{file: file}, "127.0.0.1:1", "c.toml: listen"},
		"alias":        {given{file: `bind_addr = "127.0.0.1:1"`}, "127.0.0.1:1", "c.toml: bind_addr"},
		"variable":     {given{env: env}, "127.0.0.1:2", "CONFIDENTIAL_SAFETY_LISTEN"},
		"alias in env": {given{env: []string{"CONFIDENTIAL_SAFETY_BIND_ADDR=127.0.0.1:2"}}, "127.0.0.1:2", "CONFIDENTIAL_SAFETY_BIND_ADDR"},
		"flag":         {given{flags: flag}, "127.0.0.1:3", "--listen"},
		"env > file":   {given{file: file, env: env}, "127.0.0.1:2", "CONFIDENTIAL_SAFETY_LISTEN"},
		"env > alias":  {given{file: `bind_addr = "127.0.0.1:1"`, env: env}, "127.0.0.1:2", "CONFIDENTIAL_SAFETY_LISTEN"},
		"alias > file": {given{file: file, env: []string{"CONFIDENTIAL_SAFETY_BIND_ADDR=127.0.0.1:2"}}, "127.0.0.1:2", "CONFIDENTIAL_SAFETY_BIND_ADDR"},
		"flag > file":  {given{file: file, flags: flag}, "127.0.0.1:3", "--listen"},
		"flag > all":   {given{file: file, env: env, flags: flag}, "127.0.0.1:3", "--listen"},
		// A flag counts because it was given, not because it differs.
		"flag as default": {given{file: file, flags: []string{"--listen", "127.0.0.1:8443"}}, "127.0.0.1:8443", "--listen"},
		"policy_path":     {given{file: `policy_path = "x"`}, "127.0.0.1:8443", "--listen"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := c.load(t)
			if err != nil {
				t.Fatal(err)
			}
			if v.value["listen"] != c.want || !strings.HasSuffix(v.origin["listen"], c.origin) {
				t.Errorf("%q from %q", v.value["listen"], v.origin["listen"])
			}
			if _, ok := v.value["policy_path"]; ok {
				t.Error("an alias is a setting of its own")
			}
		})
	}
}

// Every setting has the same name everywhere.
func TestEverySettingEverywhere(t *testing.T) {
	var file strings.Builder
	var env, flags []string
	for _, s := range settings() {
		value := "x"
		if _, err := strconv.Atoi(s.value); err == nil {
			value = "5"
			file.WriteString(s.key() + " = 5\n")
		} else {
			file.WriteString(s.key() + " = \"x\"\n")
		}
		env = append(env, envPrefix+strings.ToUpper(s.key())+"="+value)
		flags = append(flags, "--"+s.name+"="+value)
	}
	for name, g := range map[string]given{"file": {file: file.String()}, "env": {env: env}, "flags": {flags: flags}} {
		v, err := g.load(t)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, s := range settings() {
			if got := v.value[s.key()]; got != "x" && got != "5" {
				t.Errorf("%s: %s is %q", name, s.name, got)
			}
		}
	}
}

func TestLoadErrors(t *testing.T) {
	for name, c := range map[string]struct {
		given
		want string
	}{
		"unknown key":       {given{file: `colour = "red"`}, "c.toml: colour: unknown setting"},
		"quoted key":        {given{file: `"listen.x" = "red"`}, "c.toml: listen.x: unknown setting"},
		"dashes":            {given{file: `log-level = "info"`}, "c.toml: log-level: unknown setting"},
		"a policy file":     {given{file: "[policy]\nversion = \"1\""}, "c.toml: policy.version: unknown setting"},
		"float":             {given{file: `max_body = 1e7`}, "c.toml: max_body: want a whole number"},
		"array":             {given{file: `policy = ["a"]`}, "c.toml: policy: want a text in quotes"},
		"array of tables":   {given{file: "[[policy]]\na = 1"}, "c.toml: policy: want a text in quotes"},
		"boolean":           {given{file: `tee = true`}, `c.toml: tee: want a text in quotes, such as "tdx"`},
		"date":              {given{file: `tee = 2026-01-01`}, "c.toml: tee: want a text in quotes"},
		"integer for text":  {given{file: `data_dir = 5`}, "c.toml: data_dir: want a text in quotes"},
		"no unit":           {given{file: `drain_timeout = 30`}, "c.toml: drain_timeout: want a text in quotes, such as \"30s\""},
		"empty":             {given{file: `policy = ""`}, "c.toml: policy: the value is empty"},
		"alias and name":    {given{file: "policy = \"a\"\npolicy_path = \"b\""}, `c.toml: policy_path: it and "policy" name the same setting`},
		"both in env":       {given{env: []string{"CONFIDENTIAL_SAFETY_LISTEN=a", "CONFIDENTIAL_SAFETY_BIND_ADDR=b"}}, `CONFIDENTIAL_SAFETY_BIND_ADDR: it and "listen" name`},
		"unknown variable":  {given{env: []string{"CONFIDENTIAL_SAFETY_COLOUR=red"}}, "CONFIDENTIAL_SAFETY_COLOUR: unknown setting"},
		"variable's case":   {given{env: []string{"CONFIDENTIAL_SAFETY_listen=x"}}, "CONFIDENTIAL_SAFETY_listen: unknown variable"},
		"variable no name":  {given{env: []string{"CONFIDENTIAL_SAFETY_=x"}}, "CONFIDENTIAL_SAFETY_: unknown variable"},
		"variable with dot": {given{env: []string{"CONFIDENTIAL_SAFETY_LISTEN.X=x"}}, "CONFIDENTIAL_SAFETY_LISTEN.X: unknown setting"},
		"not ours":          {given{env: []string{"CONFIDENTIAL_SAFETY_PORTAL=x"}}, "CONFIDENTIAL_SAFETY_PORTAL: unknown setting"},
		"not a number":      {given{env: []string{"CONFIDENTIAL_SAFETY_PORT_X=x"}}, "CONFIDENTIAL_SAFETY_PORT_X: unknown setting"},
		"empty variable":    {given{env: []string{"CONFIDENTIAL_SAFETY_POLICY="}}, "CONFIDENTIAL_SAFETY_POLICY: the value is empty"},
		"empty flag":        {given{flags: []string{"--policy="}}, "--policy: the value is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.load(t)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
