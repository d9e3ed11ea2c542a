package fallback

import (
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// TestCurlThroughProxy: a script that has nothing but curl publishes and reads through a proxy that asks for a password.
func TestCurlThroughProxy(t *testing.T) {
	t.Parallel()
	c := newCell(t, "dev")
	c.serve(t, "http", c.serverAt(serverPort))
	s := startSquid(t, c, c.box, digest)
	must(t, c.behind.Fence(c.box))
	through := []string{"--fail", "-x", "http://" + s.Addr.String(), "--proxy-digest", "--proxy-user", rig.ProxyUser + ":" + rig.ProxyPassword}
	if _, err := c.Curl(c.dev, "device", "--fail", "--max-time", "1", "-d", "", c.SamplesURL("script")); err == nil {
		t.Fatal("there is a way around the proxy")
	}
	_, err := c.Curl(c.dev, "device", append(through, "-d", `{"stream": "load", "value": 0.42}`, c.SamplesURL("script"))...)
	must(t, err)
	for _, format := range []struct{ query, want string }{{"?format=text", "load 0.42\n"}, {"", `"state":"live"`}} {
		out, err := c.Curl(c.dev, "viewer", append(through, c.LatestURL("script")+format.query)...)
		must(t, err)
		if !strings.Contains(out, format.want) {
			t.Errorf("%s, want %s", out, format.want)
		}
	}
	if !strings.Contains(s.Log(), "/v1/devices/script/samples") {
		t.Errorf("the proxy has seen no post:\n%s", s.Log())
	}
}
