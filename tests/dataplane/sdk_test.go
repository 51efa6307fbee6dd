package dataplane

import (
	"strings"
	"testing"
)

// check compares what a program saw with what the situation says.
func (it situation) check(t *testing.T, a *asked) {
	t.Helper()
	o := a.outcome
	fault := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s, %s %s: "+format, append([]any{a.client.name, a.job.api, a.job.way}, args...)...)
	}
	text := it.text
	if a.job.api == "embeddings" && it.raised == nil {
		text = "[0.25, -0.5]"
	}
	if o.Text != text || o.Finish != it.finish.in(a.job.api) {
		fault("%q, finish %q, want %q, %q", o.Text, o.Finish, text, it.finish.in(a.job.api))
	}
	if n := len(a.received.requests()); n != it.asked && it.asked >= 0 {
		fault("the upstream was asked %d times, want %d", n, it.asked)
	}
	if strings.Contains(strings.ToLower(o.Seen), "giraffe") || strings.Contains(strings.ToLower(o.Seen), "nightjar") {
		fault("forbidden words in %s", o.Seen)
	}
	want := it.raised
	if want == nil {
		want = &raising{}
		if o.Final != text && (a.job.way == "helper" || o.Final != "") {
			fault("the whole is %q, want %q", o.Final, text)
		}
	} else if o.Attempts != want.attemptsOf(a.client.sdk) {
		fault("%d attempts, want %d", o.Attempts, want.attemptsOf(a.client.sdk))
	}
	if o.Raised != want.of(a.client.sdk) {
		fault("raised %q, want %q: %s", o.Raised, want.of(a.client.sdk), o.Seen)
		return
	}
	if class := typeOf(want.code); o.Type != class {
		fault("type %q, want %q", o.Type, class)
	}
	if o.Code != want.code || (o.Message == "") != (want.code == "") || want.status != 0 && o.Status != want.status {
		fault("status %d, code %q, type %q, message %q, want %d, %q", o.Status, o.Code, o.Type, o.Message, want.status, want.code)
	}
}

// typeOf is the type of an error object with the given code.
func typeOf(code string) string {
	return map[string]string{
		"content_blocked": "safety_policy", "not_checked": "safety_unavailable", "upstream_failed": "upstream_error", "upstream_timeout": "upstream_error",
	}[code]
}

// checkVerdict finds the verdict by the id that the program was told.
func (it situation) checkVerdict(t *testing.T, s *sidecar, a *asked) {
	t.Helper()
	unrecorded := a.job.api == "models" && (it.raised == nil || it.raised.code != "content_blocked")
	if it.action == "" || unrecorded {
		return
	}
	if v := s.verdict(t, a.outcome.RequestID); v.Action != it.action {
		t.Errorf("%s, %s %s: verdict %+v, want %s", a.client.name, a.job.api, a.job.way, v, it.action)
	}
}

// What the SDKs of both vendors make of everything that can happen.
func TestSDKs(t *testing.T) {
	s, m := common(t)
	all := clients(t)
	for _, it := range situations() {
		t.Run(it.name, func(t *testing.T) {
			for _, a := range askAll(t, all, s, m, it, nil) {
				it.check(t, a)
				it.checkVerdict(t, s, a)
			}
		})
	}
	m = newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	flags := []string{"--policy", "testdata/policy.toml", "--upstream", m.srv.URL + "/v1"}
	t.Run(notChecked().name, func(t *testing.T) {
		s, err := launchInto("/dev/full", environment(), t.TempDir(), flags...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.stop(t) })
		// The first verdict is the one that shows it.
		token, _ := m.answer(whole(completion("fine")))
		ask(t, s.client, s.url, token, prompt("hi"))
		for _, a := range askAll(t, all, s, m, notChecked(), nil) {
			notChecked().check(t, a)
		}
	})
	t.Run(tooSlow().name, func(t *testing.T) {
		s := start(t, append(flags, "--upstream-timeout", "400ms")...)
		for _, a := range askAll(t, all, s, m, tooSlow(), nil) {
			tooSlow().check(t, a)
			tooSlow().checkVerdict(t, s, a)
		}
	})
	dead := make(chan struct{})
	t.Run(killed(dead).name, func(t *testing.T) {
		s := start(t, flags...)
		for _, a := range askAll(t, all, s, m, killed(dead), func() {
			_ = s.cmd.Process.Kill()
			<-s.exited
			close(dead)
		}) {
			killed(dead).check(t, a)
		}
	})
}
