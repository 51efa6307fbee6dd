// Package lint judges an Envoy configuration that somebody else wrote: whether
// every way from a listener to a model server passes one external processor that
// sees all of it and is never left out.
//
// It works by tables of what may be set, one for each message of Envoy's API,
// walked by reflection. What no table knows is a finding, so that a new field or
// extension of Envoy's is refused until somebody has judged it. Never add a field
// to a table without knowing what it does to a body.
package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
)

// Finding is one reason for which bytes could get by.
type Finding struct {
	Path string `json:"path"` // in the configuration
	Rule Rule   `json:"rule"`
	Why  string `json:"why"`
}

// String is the finding as a line.
func (f Finding) String() string { return fmt.Sprintf("%s: %s: %s", f.Path, f.Rule, f.Why) }

// Report is what was found in a configuration.
type Report struct {
	Findings            []Finding
	Listeners, Clusters int
	SHA256              string   // of the text, in hex
	ExtProcSockets      []string // paths of the Unix sockets where it expects a processor
	SDSSockets          []string // and secret discovery
}

// Lint judges a configuration. name is its file's: Envoy reads YAML where that
// ends in .yaml or .yml and JSON elsewhere, and so does Lint. paths are those
// that the processor inspects. The error is for a text that cannot be read as a
// configuration.
func Lint(name string, text []byte, paths []string) (*Report, error) {
	boot, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	j := newJudge(boot, paths)
	j.message("", boot.ProtoReflect())
	j.together()
	return &Report{
		Findings:       j.findings,
		Listeners:      len(boot.GetStaticResources().GetListeners()),
		Clusters:       len(j.clusters),
		SHA256:         hex.EncodeToString(sum[:]),
		ExtProcSockets: slices.Compact(slices.Sorted(slices.Values(j.extProc))),
		SDSSockets:     slices.Compact(slices.Sorted(slices.Values(j.sds))),
	}, nil
}

// judge walks one configuration and keeps what it finds.
type judge struct {
	tables   map[string]opinions // by the message's full name
	paths    []string
	clusters []*clusterv3.Cluster
	findings []Finding

	routed       map[string]string // cluster to where it was first named, by a route
	services     map[string]bool   // clusters that a gRPC service names
	extProc, sds []string          // sockets
}

func newJudge(boot *bootstrapv3.Bootstrap, paths []string) *judge {
	return &judge{
		tables:   compile(),
		paths:    paths,
		clusters: boot.GetStaticResources().GetClusters(),
		routed:   make(map[string]string),
		services: make(map[string]bool),
	}
}

func (j *judge) find(at string, rule Rule, why string) {
	j.findings = append(j.findings, Finding{at, rule, why})
}
