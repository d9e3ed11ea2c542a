package nat

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// twoServers is an internet with a server, and a coturn at another address that the server tells its users of: two that can be
// asked which address they see.
func twoServers(t *testing.T) (r *rig.Rig, l *lab.Lab) {
	t.Helper()
	const secret = "of-the-laboratory"
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	must(t, os.WriteFile(file, []byte(secret), 0o600))
	r, err := rig.New(dir)
	must(t, err)
	l, err = lab.NewInternet("srv", "stun")
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	at := netip.AddrPortFrom(l.Host("stun").Addr, 3478)
	coturn, err := r.StartCoturn(l.Host("stun"), at, secret)
	must(t, err)
	t.Cleanup(coturn.Kill)
	srv := l.Host("srv")
	server, err := r.StartServer(srv, netip.AddrPortFrom(srv.Addr, 8080).String(), "--open-role", "viewer",
		"--turn-secret-file", file, "--turn-server", fmt.Sprintf("turn:%v?transport=udp", at))
	must(t, err)
	t.Cleanup(server.Kill)
	return r, l
}

// mappings are what is to be found out of each kind of NAT that lets UDP pass: in a terminal the name of the failure, or words of
// what is well; and words of the page's, which is told less: a browser hides what does not differ.
var mappings = []struct {
	kind                  lab.Kind
	failure, detail, page string
}{
	{lab.Open, "", "no NAT", ""},
	{lab.FullCone, "", "for all destinations", ""},
	{lab.PortRestricted, "", "for all destinations", "by all servers"},
	{lab.Symmetric, "nat-varies", "", "shows each destination a different address"},
}

// Whether a NAT gives each destination another address is found out by asking two servers on one socket, of real NATs.
func TestMapping(t *testing.T) {
	skipUnlessAsked(t)
	r, l := twoServers(t)
	for i, m := range mappings {
		t.Run("netcheck/"+string(m.kind), func(t *testing.T) {
			home, err := l.Home(fmt.Sprintf("view%d", i), m.kind)
			must(t, err)
			failure, detail := natOf(t, r, home.Host)
			if failure != m.failure || !strings.Contains(detail, m.detail) {
				t.Errorf("%q, %q, want %q, %q", failure, detail, m.failure, m.detail)
			}
		})
	}
}

// natOf is what `telepath netcheck --json` says of the NAT.
func natOf(t *testing.T, r *rig.Rig, on *lab.Host) (failure, detail string) {
	t.Helper()
	lines := make(chan string, 100) // more than the checks there are
	p, err := r.StartTelepath(on, func(line program.Line) { lines <- line.Text }, "netcheck", "--json")
	must(t, err)
	_, err = p.Wait(patience)
	must(t, err)
	close(lines)
	for line := range lines {
		var l struct{ Name, Failure, Detail string }
		if err := json.Unmarshal([]byte(line), &l); err == nil && l.Name == "mapping" {
			return l.Failure, l.Detail
		}
	}
	t.Fatalf("it says nothing of the mapping:\n%s", p.Tail(20))
	return "", ""
}

// The page's drawer finds out the same.
func TestMappingInAPage(t *testing.T) {
	skipUnlessAsked(t)
	r, l := twoServers(t)
	dev, err := l.Home("dev", lab.Open)
	must(t, err)
	agent, err := r.StartDevice(dev.Host, device, "--source", "sim,rate=1", "--log-level", "debug")
	must(t, err)
	t.Cleanup(agent.Kill)
	_, err = agent.WaitFor(linkedLine, patience)
	must(t, err)
	for i, m := range mappings[2:] {
		t.Run(string(m.kind), func(t *testing.T) {
			home, err := l.Home(fmt.Sprintf("view%d", i), m.kind)
			must(t, err)
			page, err := r.BrowseReady(home.Host, r.URL, device)
			if page != nil {
				t.Cleanup(page.Kill)
			}
			must(t, err)
			must(t, page.Write("network"))
			told, err := page.Await("network", 0, 2*patience, func(e rig.Event) bool { return e.Type == "network" })
			must(t, err)
			if !strings.Contains(told.Text, m.page) {
				t.Errorf("the drawer says %q, want %q in it", told.Text, m.page)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
