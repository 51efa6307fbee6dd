package inspect

import (
	"testing"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
)

// Each surface of the policy is one thing to the decoder, and no other's.
func TestUnread(t *testing.T) {
	var all decode.Opaque
	for _, s := range policy.Surfaces() {
		got := unread(&policy.Policy{Unread: []policy.Surface{s}})
		if got == 0 || got&(got-1) != 0 || all&got != 0 {
			t.Errorf("%s is %b", s, got)
		}
		all |= got
	}
	if got := unread(&policy.Policy{Unread: []policy.Surface{"smells"}}); got != 0 {
		t.Errorf("an unknown surface is %b", got)
	}
}
