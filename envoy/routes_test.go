package envoy

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// routesFor returns the routes to an upstream with the given URL.
func routesFor(t *testing.T, upstream string) []*routev3.Route {
	t.Helper()
	s := settings()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	s.Upstream = u
	hosts := takeApart(t, s).hcm.GetRouteConfig().GetVirtualHosts()
	if len(hosts) != 1 || strings.Join(hosts[0].GetDomains(), " ") != "*" {
		t.Fatal("not one virtual host for all names: a client's Host would choose the routes")
	}
	routes := hosts[0].GetRoutes()
	if len(routes) != len(s.Routes)+1 {
		t.Fatalf("%d routes for a list of %d", len(routes), len(s.Routes))
	}
	return routes
}

// matches gives what a route takes: the method and the path that it compares
// byte by byte with all of :path, and the one it compares with what stands
// before the query string.
func matches(t *testing.T, r *routev3.Route) (method, full, path string) {
	t.Helper()
	m := r.GetMatch()
	if len(m.GetHeaders()) != 2 || !m.GetCaseSensitive().GetValue() || m.GetRuntimeFraction() != nil {
		t.Fatalf("route %v takes more or less than a method and a path", m)
	}
	for _, h := range m.GetHeaders() {
		if h.GetInvertMatch() || h.GetTreatMissingHeaderAsEmpty() || h.GetStringMatch().GetIgnoreCase() {
			t.Errorf("%s is not compared as it is", h.GetName())
		}
		switch h.GetName() {
		case ":method":
			method = h.GetStringMatch().GetExact()
		case ":path":
			full = h.GetStringMatch().GetExact()
		}
	}
	return method, full, m.GetPath()
}

func TestRoutesAreTheList(t *testing.T) {
	routes := routesFor(t, "http://127.0.0.1:8000")
	for i, want := range settings().Routes {
		method, full, path := matches(t, routes[i])
		before, _, _ := strings.Cut(want.Path, "?")
		if method != want.Method || full != want.Path || path != before {
			t.Errorf("%v: takes %s %q by the path %q", want, method, full, path)
		}
		a := routes[i].GetRoute()
		expectTraps(t, []trap{
			{"cluster", a.GetCluster(), "upstream", "content goes to one place"},
			{"timeout", a.GetTimeout(), "0s", "15 s by default, which cuts a generation"},
			{"idle_timeout", a.GetIdleTimeout(), "1h0m0s", "it fires while headers are held"},
			{"host_rewrite", a.GetHostRewriteLiteral(), "127.0.0.1:8000", "a client would choose the upstream's virtual host"},
			{"append_x_forwarded_host", a.GetAppendXForwardedHost(), "false", "it tells of the client"},
			{"max_stream_duration", a.GetMaxStreamDuration(), "unset", "it would cut a generation"},
		})
	}
}

func TestLastRouteEndsHere(t *testing.T) {
	routes := routesFor(t, "http://127.0.0.1:8000")
	last := routes[len(routes)-1]
	if p, ok := last.GetMatch().GetPathSpecifier().(*routev3.RouteMatch_Prefix); !ok || p.Prefix != "" || len(last.GetMatch().GetHeaders()) != 0 {
		t.Errorf("it does not take all that is left: %v", last.GetMatch())
	}
	if last.GetRoute() != nil || last.GetRedirect() != nil || last.GetDirectResponse().GetStatus() != 404 {
		t.Errorf("it does not answer 404: %v", last.GetAction())
	}
	var body map[string]map[string]any
	if err := json.Unmarshal([]byte(last.GetDirectResponse().GetBody().GetInlineString()), &body); err != nil || body["error"]["code"] != "not_found" {
		t.Errorf("body %v, %v", body, err)
	}
	for i, r := range routes[:len(routes)-1] {
		if r.GetDirectResponse() != nil {
			t.Errorf("route %d answers by itself", i)
		}
	}
}

func TestUpstreamPaths(t *testing.T) {
	for base, want := range map[string]string{
		"":                "", // as it came
		"/":               "",
		"/v1":             "",
		"/v1/":            "",
		"/v1//":           "",
		"/api":            "/api/v1/chat/completions",
		"/api/":           "/api/v1/chat/completions",
		"/api/openai/v1":  "/api/openai/v1/chat/completions",
		"/api/openai/v1/": "/api/openai/v1/chat/completions",
		"/apiv1":          "/apiv1/v1/chat/completions",
		"/v1/api":         "/v1/api/v1/chat/completions",
		"/a%20b":          "/a%20b/v1/chat/completions",
		"/a%2Fb/v1":       "/a%2Fb/v1/chat/completions",
	} {
		routes := routesFor(t, "http://127.0.0.1:8000"+base)
		if got := routes[0].GetRoute().GetPrefixRewrite(); got != want {
			t.Errorf("base %q: the upstream gets %q, want %q", base, got, want)
		}
		// The query string stays where it is, after what is rewritten.
		if got := routes[2].GetRoute().GetPrefixRewrite(); want != "" && got != strings.Replace(want, "chat/completions", "messages", 1) {
			t.Errorf("base %q: with a query string the upstream gets %q", base, got)
		}
	}
}
