package fallback

import (
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
)

// The ends of an emulated hop between who is behind it and the server.
const (
	hereOnHop   = "10.77.0.1/24"
	serverOnHop = "10.77.0.2"
)

// stretch puts an emulated hop in the place of the cable, with conditions as e2e/linkem takes them.
func (c *cell) stretch(t *testing.T, conditions string) {
	t.Helper()
	must(t, c.behind.Unplug())
	hop, err := program.Start(program.Spec{Name: "linkem", Args: []string{
		tools + "/linkem", "-ns-a", c.behind.NS, "-addr-a", hereOnHop, "-ns-b", c.srv.NS, "-addr-b", serverOnHop + "/24", "-both", conditions,
	}})
	must(t, err)
	endWith(t, "linkem", hop)
	_, err = hop.WaitFor(readyLine, patience)
	must(t, err)
}

// TestFarAway: with TLS and 200 ms round trip a WebSocket needs 600 ms for its first frame, and an event stream on the
// connection that the page came over 200 ms. The better one is given its time: nothing is wrong with it.
func TestFarAway(t *testing.T) {
	t.Parallel()
	c := newCell(t, "view")
	ca := c.serveTLSAs(t, siteName, netip.AddrPortFrom(netip.IPv4Unspecified(), 8443), "--log-level", "debug")
	must(t, c.dev.Knows(map[string]netip.Addr{siteName: c.srv.Addr}))
	must(t, c.view.Knows(map[string]netip.Addr{siteName: netip.MustParseAddr(serverOnHop)}))
	c.stretch(t, "delay=100ms")
	must(t, c.TrustInChromium(ca))
	visit := firstInChromium(t, c, way{})
	t.Logf("first sample after %v", visit.took.Round(time.Millisecond))
	_, err := visit.watcher.AwaitPath("ws", 0, patience)
	must(t, err)
	visit.watcher.Kill()
	_, err = c.server.WaitFor(viewerLeft, patience)
	must(t, err)
	_, err = c.server.Stop(patience)
	must(t, err)
	if needless := linkOnSSE.FindString(c.server.Tail(10_000)); needless != "" {
		t.Errorf("the WebSocket was overtaken: %s", needless)
	}
}

// What the server says when a link is over, of which kind it was.
var (
	viewerLeft = regexp.MustCompile(`"link over","role":"operator","rung":"ws"`)
	linkOnSSE  = regexp.MustCompile(`"link over".*"rung":"sse".*`)
)
