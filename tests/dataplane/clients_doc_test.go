package dataplane

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func clientsDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The table of docs/clients.md is what TestSDKs asserts.
func TestClientsTable(t *testing.T) {
	const head = "| what happens | HTTP status and code | `openai` | `anthropic` | openai-go | anthropic-sdk-go | sent |\n|---|---|---|---|---|---|---|\n"
	want := head
	for _, it := range append(situations(), tooSlow(), notChecked(), killed(nil)) {
		if it.raised != nil {
			want += it.row()
		}
	}
	_, rest, _ := strings.Cut(clientsDoc(t), head)
	table, _, _ := strings.Cut(rest, "\n\n")
	if table = head + table + "\n"; table != want {
		t.Errorf("docs/clients.md has\n%s\nwant\n%s", table, want)
	}
}

func (it situation) row() string {
	r := it.raised
	status := "none"
	switch {
	case r.status > 0:
		status = fmt.Sprintf("%d `%s`", r.status, r.code)
	case r.code != "":
		status = fmt.Sprintf("200, then `%s`", r.code)
	case it.text != "":
		status = "200"
	}
	name := func(class string) string {
		if class == brokenConnection {
			return class
		}
		return "`" + strings.TrimPrefix(strings.TrimPrefix(class, "openai."), "anthropic.") + "`"
	}
	sent := fmt.Sprint(r.attempts)
	if r.openAIGoAttempts > 0 {
		sent += fmt.Sprintf(", openai-go %d", r.openAIGoAttempts)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n",
		it.name, status, name(r.openAIPython), name(r.anthropicPython), name(r.openAIGo), name(r.anthropicGo), sent)
}

// The examples of docs/clients.md run, and say what is blocked.
func TestClientsExamples(t *testing.T) {
	s, m := common(t)
	interpreter := pythonPath(t)
	blocks := strings.Split(clientsDoc(t), "\n```")
	ran := 0
	for i := 1; i < len(blocks); i += 2 {
		language, program, _ := strings.Cut(blocks[i], "\n")
		d := dialects()[3]
		if strings.Contains(program, "openai.OpenAI") {
			d = dialects()[2]
		}
		for want, words := range map[string][]string{"fine day\n": {"fine", " day"}, "blocked\n": {"a purple", " giraffe"}} {
			token, _ := m.answer(pieces(d.events(words...)...))
			file := filepath.Join(t.TempDir(), "main."+language)
			text := strings.NewReplacer("https://127.0.0.1:8443", s.url, ".data/tls/ca.pem", s.caFile, "KEY", strings.TrimPrefix(token, "Bearer ")).Replace(program)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "run", file)
			cmd.Dir = "../.."
			if language == "python" {
				cmd = exec.Command(interpreter, file)
			}
			cmd.Stderr = os.Stderr
			if out, err := cmd.Output(); err != nil || string(out) != want {
				t.Errorf("%s for %s: %v: %q, want %q", language, d.name, err, out, want)
			}
			ran++
		}
	}
	if ran != 6 {
		t.Errorf("%d examples", ran/2)
	}
}
