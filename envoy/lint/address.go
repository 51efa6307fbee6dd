package lint

import (
	"net/netip"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

func addressTables() map[string]table {
	return map[string]table{
		"envoy.config.core.v3.Address": {
			walk: "socket_address pipe",
			judged: []judgement{
				{"envoy_internal_address", refuse(ruleAddress, "it leads to another listener of the same Envoy, past what was judged")},
			},
		},
		"envoy.config.core.v3.SocketAddress": {
			free: "address port_value ipv4_compat",
			judged: []judgement{
				{"protocol", must(ruleAddress, "ext_proc sees no datagrams: want TCP", is("TCP"))},
				{"named_port resolver_name network_namespace_filepath", refuse(ruleAddress, "where it leads is decided elsewhere: want an address and a port")},
			},
		},
		"envoy.config.core.v3.Pipe": {
			free: "mode",
			judged: []judgement{
				{"path", must(ruleAddress, "only a socket in a directory has an owner: want an absolute path", func(v any) bool {
					path, ok := v.(string)
					return ok && strings.HasPrefix(path, "/")
				})},
			},
		},
		// A file is no part of what was judged and digested.
		"envoy.config.core.v3.DataSource": {
			free: "inline_bytes inline_string",
			judged: []judgement{
				{"filename environment_variable watched_directory", refuse(ruleFileSource, "what is in a file or a variable is not judged and can change: write it inline")},
			},
		},
	}
}

// onMachine tells whether an address cannot be reached from, or does not lead
// to, another machine.
func onMachine(a *corev3.Address) bool {
	if a.GetPipe() != nil {
		return true
	}
	host := a.GetSocketAddress().GetAddress()
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
