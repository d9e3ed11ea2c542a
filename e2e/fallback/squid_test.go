package fallback

import (
	"net/netip"
	"os"
	"testing"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/rig"
)

var (
	openProxy = rig.SquidPolicy{}
	basic     = rig.SquidPolicy{Auth: "basic"}
	digest    = rig.SquidPolicy{Auth: "digest"}
	ntlm      = rig.SquidPolicy{Auth: "ntlm"}
	only443   = rig.SquidPolicy{Ports: "443"}
)

// startSquid starts squid on a host and waits until it takes connections.
func startSquid(t *testing.T, c *cell, on *lab.Host, policy rig.SquidPolicy) *rig.Squid {
	t.Helper()
	s, err := c.StartSquid(on, netip.AddrPortFrom(on.Addr, rig.ProxyPort), openFolder(t), policy)
	must(t, err)
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("squid said at last:\n%s%s", s.Tail(10), s.Log())
		}
	})
	return s
}

// openFolder is one that squid can write to under the user that it becomes.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "squid-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
