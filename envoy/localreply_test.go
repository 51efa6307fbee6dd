package envoy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
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
	if len(c.GetMappers()) != 10 {
		t.Fatalf("%d mappers", len(c.GetMappers()))
	}
	var own []*hcmv3.ResponseMapper
	for i := 1; i < len(c.GetMappers()); i += 2 {
		own = append(own, c.GetMappers()[i])
	}
	return own
}

// Before each reply stands the same for the path whose errors are in Anthropic's
// form.
func TestAnthropicReplies(t *testing.T) {
	all := takeApart(t, settings()).hcm.GetLocalReplyConfig().GetMappers()
	for i := 0; i < len(all); i += 2 {
		theirs, ours := all[i], all[i+1]
		both := theirs.GetFilter().GetAndFilter().GetFilters()
		if len(both) != 2 || !proto.Equal(both[0], ours.GetFilter()) || both[1].GetHeaderFilter().GetHeader().GetName() != ":path" ||
			both[1].GetHeaderFilter().GetHeader().GetStringMatch().GetContains() != "/v1/messages" {
			t.Errorf("filter %v", theirs.GetFilter())
		}
		body := func(m *hcmv3.ResponseMapper) string {
			return m.GetBodyFormatOverride().GetTextFormatSource().GetInlineString()
		}
		id := ours.GetHeadersToAdd()[0].GetHeader().GetValue()
		headers, member := []string{id}, `"`+id+`"`
		if id == "%UNIQUE_ID%" { // another wherever it stands
			headers, member = nil, "null"
		}
		want := `{"type":"error",` + strings.TrimPrefix(strings.TrimSuffix(body(ours), "}"), "{") + `,"request_id":` + member + `}`
		if got := body(theirs); got != want || theirs.GetStatusCode().GetValue() != ours.GetStatusCode().GetValue() {
			t.Errorf("got %s, want %s", got, want)
		}
		var got []string
		for _, h := range theirs.GetHeadersToAdd() {
			if h.GetHeader().GetKey() == "request-id" {
				got = append(got, h.GetHeader().GetValue())
			}
		}
		if !slices.Equal(got, headers) {
			t.Errorf("request-id %q, want %q", got, headers)
		}
	}
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
	for _, m := range mappers(t, "1")[1:4] {
		var body struct {
			Error struct{ Message, Type, Code string }
		}
		if err := json.Unmarshal([]byte(filledIn(t, m)), &body); err != nil || body.Error.Message == "" || !strings.HasSuffix(body.Error.Type, "_error") {
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
		"UO": {"overloaded", 503},      // over the limits
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

// What Envoy refuses for want of memory has no flag of its own and no id yet.
// The processor's 503 must not be taken for it.
func TestOutOfMemoryReply(t *testing.T) {
	m := mappers(t, "1")[4]
	filters := m.GetFilter().GetAndFilter().GetFilters()
	if len(filters) != 2 {
		t.Fatalf("filters %v", filters)
	}
	status, header := filters[0].GetStatusCodeFilter().GetComparison(), filters[1].GetHeaderFilter().GetHeader()
	if status.GetOp().String() != "EQ" || status.GetValue().GetDefaultValue() != 503 || header.GetName() != "x-request-id" ||
		header.GetHeaderMatchSpecifier() == nil || header.GetPresentMatch() || header.GetInvertMatch() || m.GetStatusCode().GetValue() != 503 {
		t.Errorf("it is for %v and %v", status, header)
	}
	if got := filledIn(t, m); got != overloaded {
		t.Errorf("%s", got)
	}
}

func TestRepliesCarryTheRequestID(t *testing.T) {
	for i, m := range mappers(t, "1") {
		h, id := m.GetHeadersToAdd(), "%REQ(X-REQUEST-ID)%"
		if i == 0 || i == 4 {
			id = "%UNIQUE_ID%" // the request's may be the client's own
		}
		if i > 2 { // those that may come again
			if len(h) != 2 || h[1].GetHeader().GetKey() != "retry-after" || h[1].GetHeader().GetValue() != "1" {
				t.Errorf("mapper %d: headers %v", i, h)
			}
			h = h[:1]
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
