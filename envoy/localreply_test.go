package envoy

import (
	"encoding/json"
	"strings"
	"testing"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// fill does what Envoy does with what may stand in a body for it to fill in;
// known takes that away.
var (
	fill  = strings.NewReplacer("%UNIQUE_ID%", "ID", "%START_TIME(%Y-%m-%dT%H:%M:%SZ)%", "TIME", "%%", "%")
	known = strings.NewReplacer("%UNIQUE_ID%", "", "%START_TIME(%Y-%m-%dT%H:%M:%SZ)%", "", "%%", "")
)

// filledIn is a body as Envoy would send it.
func filledIn(t *testing.T, m *hcmv3.ResponseMapper) string {
	t.Helper()
	source := m.GetBodyFormatOverride().GetTextFormatSource().GetInlineString()
	if known.Replace(source) != strings.ReplaceAll(known.Replace(source), "%", "") {
		t.Errorf("more for Envoy to fill in: %s", source)
	}
	return fill.Replace(source)
}

func mappers(t *testing.T, policyVersion string) []*hcmv3.ResponseMapper {
	t.Helper()
	s := settings()
	s.PolicyVersion = policyVersion
	c := takeApart(t, s).hcm.GetLocalReplyConfig()
	if c.GetBodyFormat() != nil {
		t.Error("a form for all other replies is put on the processor's as well")
	}
	if len(c.GetMappers()) != 3 {
		t.Fatalf("%d mappers", len(c.GetMappers()))
	}
	return c.GetMappers()
}

func TestUncheckedReply(t *testing.T) {
	// Versions that a policy may have, and others that Envoy or JSON would
	// read as something else.
	for _, version := range []string{"1.0.0", "2+b_c-d", "100%", "%REQ(AUTHORIZATION)%", "%%", `"},{`, `\`, "<&>"} {
		m := mappers(t, version)[0]
		f := m.GetFilter().GetStatusCodeFilter().GetComparison()
		if f.GetOp().String() != "EQ" || f.GetValue().GetDefaultValue() != 500 || m.GetStatusCode().GetValue() != 503 {
			t.Error("the 500 of a dead processor is not a 503")
		}
		// The contract's, letter by letter.
		quoted, _ := json.Marshal(version)
		want := `{"error":{"message":"This request could not be checked and was not processed.","type":"safety_unavailable","code":"not_checked","param":null},` +
			`"safety":{"verdict_id":"ID","stage":"PRE_INFERENCE_GATE","risk_category":"UNAVAILABLE","action":"BLOCK",` +
			`"policy_version":` + string(quoted) + `,"timestamp":"TIME"}}`
		if got := filledIn(t, m); got != want {
			t.Errorf("version %q: body\n%s, want\n%s", version, got, want)
		}
	}
}

func TestUpstreamReplies(t *testing.T) {
	codes := map[string]string{}
	status := map[string]uint32{}
	for _, m := range mappers(t, "1")[1:] {
		var body struct {
			Error struct{ Message, Type, Code string }
		}
		if err := json.Unmarshal([]byte(filledIn(t, m)), &body); err != nil || body.Error.Message == "" || body.Error.Type != "upstream_error" {
			t.Errorf("body %+v, %v", body, err)
		}
		flags := m.GetFilter().GetResponseFlagFilter().GetFlags()
		if len(flags) == 0 {
			t.Error("a mapper without flags takes every reply, the processor's too")
		}
		for _, flag := range flags {
			if _, ok := codes[flag]; ok {
				t.Errorf("flag %s is mapped twice", flag)
			}
			codes[flag], status[flag] = body.Error.Code, m.GetStatusCode().GetValue()
		}
	}
	for flag, want := range map[string]struct {
		code   string
		status uint32
	}{
		"UF": {"upstream_failed", 502}, // no connection
		"UC": {"upstream_failed", 502}, // connection ended
		"UH": {"upstream_failed", 502}, // no host, such as a name that is not found
		"UR": {"upstream_failed", 502}, // reset by the other side
		"UO": {"upstream_failed", 502}, // over the limits
		"NR": {"upstream_failed", 502}, // no route
		"UT": {"upstream_timeout", 504},
		"SI": {"upstream_timeout", 504}, // idle
		"DT": {"upstream_timeout", 504},
	} {
		if codes[flag] != want.code || status[flag] != want.status {
			t.Errorf("flag %s: %d %s, want %d %s", flag, status[flag], codes[flag], want.status, want.code)
		}
	}
}

func TestRepliesCarryTheRequestID(t *testing.T) {
	for i, m := range mappers(t, "1") {
		h, id := m.GetHeadersToAdd(), "%REQ(X-REQUEST-ID)%"
		if i == 0 {
			id = "%UNIQUE_ID%" // the request's may be the client's own
		}
		if len(h) != 1 || h[0].GetHeader().GetKey() != "x-request-id" || h[0].GetHeader().GetValue() != id ||
			h[0].GetAppendAction().String() != "OVERWRITE_IF_EXISTS_OR_ADD" {
			t.Errorf("mapper %d: headers %v", i, h)
		}
		if got := m.GetBodyFormatOverride().GetContentType(); got != "application/json" {
			t.Errorf("mapper %d: content type %q", i, got)
		}
	}
}
