package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// judgeEnvoyConfig lints the configuration of the Envoy that somebody else runs,
// and keeps its digest. It must be for this sidecar's sockets: another processor
// would answer at others.
func (c *config) judgeEnvoyConfig() error {
	if c.envoyConfig == "" {
		return nil
	}
	r, err := lintFile(c.envoyConfig, strings.NewReader(""))
	if err != nil {
		return err
	}
	if n := len(r.Findings); n > 0 {
		return fmt.Errorf("%s: %s, the first: %s: run confidential-safety envoy lint %[1]s", c.envoyConfig, counted(n, "finding", "findings"), r.Findings[0])
	}
	if len(r.ExtProcSockets) == 0 {
		return fmt.Errorf("%s: it has no ext_proc filter: name the configuration of the Envoy in front of this sidecar", c.envoyConfig)
	}
	for _, s := range r.ExtProcSockets {
		if filepath.Clean(s) != c.extProcSocket {
			return fmt.Errorf("%s: its processor is at %s and this one at %s: set --extproc-addr or correct the file", c.envoyConfig, s, c.extProcSocket)
		}
	}
	for _, s := range r.SDSSockets {
		if filepath.Clean(s) != c.sdsSocket {
			return fmt.Errorf("%s: its secret discovery is at %s and this one at %s: set --sds-addr or correct the file", c.envoyConfig, s, c.sdsSocket)
		}
	}
	c.envoyConfigSHA256 = r.SHA256
	return nil
}
