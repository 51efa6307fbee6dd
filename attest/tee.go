package attest

import (
	"errors"
	"fmt"
	"io/fs"
)

// TEE is the kind of trusted execution environment that quotes come from.
type TEE string

// The kinds. Simulated protects nothing and is named as such wherever it shows.
const (
	TDX       TEE = "tdx"
	Simulated TEE = "simulated"
)

// ParseTEE reads the name of a kind.
func ParseTEE(name string) (TEE, error) {
	switch t := TEE(name); t {
	case TDX, Simulated:
		return t, nil
	default:
		return "", fmt.Errorf("tee %q: want tdx or simulated", name)
	}
}

// tdxInterfaces are where Linux gives quotes to user space, relative to the
// root: configfs-tsm (since 6.7) and the devices of older kernels.
var tdxInterfaces = []string{
	"sys/kernel/config/tsm/report",
	"dev/tdx_guest",
	"dev/tdx-guest",
}

// Available returns nil if this machine is of the kind. root is the file
// system's root.
func (t TEE) Available(root fs.FS) error {
	if t == Simulated {
		return nil
	}
	for _, name := range tdxInterfaces {
		if _, err := fs.Stat(root, name); err == nil {
			return nil
		}
	}
	return errors.New("this machine has no TDX device (neither configfs-tsm nor /dev/tdx_guest): run inside a TDX guest, or try things with --tee simulated, which protects nothing")
}
