package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// turnedWithin is from the first sample, on the relay, to the rung through TURN, on a loaded machine.
const turnedWithin = 10 * time.Second

const coturnPort = 3478

// newCoturnWorld has a server without a TURN server of its own, and a real coturn beside it, told with those transports.
func newCoturnWorld(t *testing.T, transports ...string) *world {
	t.Helper()
	skipUnlessAsked(t)
	const secret = "of-the-laboratory"
	file := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(file, []byte(secret), 0o600))
	at := netip.AddrPortFrom(netip.MustParseAddr("10.88.0.2"), coturnPort) // host srv
	args := []string{"--turn-secret-file", file}
	for _, transport := range transports {
		args = append(args, "--turn-server", fmt.Sprintf("turn:%v?transport=%s", at, transport))
	}
	w := newWorld(t, args...)
	if w.srv.Addr != at.Addr() {
		t.Fatalf("the server is at %v", w.srv.Addr)
	}
	coturn, err := w.StartCoturn(w.srv, at, secret)
	must(t, err)
	endWith(t, "coturn", coturn)
	return w
}

// turnWorlds have a TURN server each: the server itself, or a coturn beside it.
var turnWorlds = map[string]func(t *testing.T) *world{
	"own":    func(t *testing.T) *world { return newWorld(t) },
	"coturn": func(t *testing.T) *world { return newCoturnWorld(t, "udp", "tcp") },
}

// inBrowser says whether a world is seen in a browser, too: each rung is once, through one of the two TURN servers.
func inBrowser(rung, server string) bool { return (rung == "turn-udp") == (server == "own") }

// Where UDP does not go between the two ends, it goes through the TURN server that both reach, the server's own or a real
// coturn; as soon as it goes, the direct path takes over. No event is lost or comes twice.
func TestTurnedWhereTheTwoDoNotMeet(t *testing.T) {
	for name, start := range turnWorlds {
		for _, kind := range watchers {
			if kind.shows && !inBrowser("turn-udp", name) {
				continue
			}
			t.Run(name+"/"+kind.name, func(t *testing.T) {
				w := start(t)
				turned(t, w, kind.start, "turn-udp", func() error { return w.view.Part(w.dev) }, w.view.Join)
			})
		}
	}
}

// Where UDP does not go at all on one side, TURN over TCP does.
func TestTurnedOverTCP(t *testing.T) {
	for name, start := range turnWorlds {
		for _, kind := range watchers {
			if kind.shows && !inBrowser("turn-tcp", name) {
				continue
			}
			t.Run(name+"/"+kind.name, func(t *testing.T) {
				w := start(t)
				turned(t, w, kind.start, "turn-tcp", w.view.CutUDP, w.view.MendUDP)
			})
		}
	}
}

// newTLSWorld has a server with TLS on port 443, whose authority all trust.
func newTLSWorld(t *testing.T) *world {
	t.Helper()
	w := newEmptyWorld(t)
	server, ca, err := w.StartTLSServer(w.srv, w.srv.Addr.String(), netip.AddrPortFrom(w.srv.Addr, 443))
	must(t, err)
	w.server = server
	endWith(t, "server", server.Program)
	must(t, w.TrustInChromium(ca))
	return w
}

// Where nothing but TLS is let through, TURN goes inside it.
func TestTurnedOverTLS(t *testing.T) {
	for _, kind := range watchers {
		t.Run(kind.name, func(t *testing.T) {
			w := newTLSWorld(t)
			start := func(t *testing.T, w *world, _ string) *rig.Watcher {
				return startOnly(t, w, kind.shows, "udp,turn-tls,ws")
			}
			turned(t, w, start, "turn-tls", w.view.CutUDP, w.view.MendUDP)
		})
	}
}

// turned watches a device past an obstacle, and then without.
func turned(t *testing.T, w *world, start func(t *testing.T, w *world, device string) *rig.Watcher, rung string, obstruct, clear func() error) {
	t.Helper()
	device := w.startDevice(t, "board", "--source", "sim,rate=20", "--source", "stdin")
	declareLog(t, device)
	must(t, obstruct())
	v := start(t, w, "board")
	first, err := v.AwaitSample("ws", 0, firstPath)
	must(t, err)
	events := startProducer(t, device, 1)
	up, err := v.AwaitPath(rung, 0, turnedWithin)
	must(t, err)
	_, err = v.AwaitSample(rung, 0, turnedWithin)
	must(t, err)
	t.Logf("%s named %v after the first sample", rung, up.At.Sub(first.At))
	time.Sleep(5 * time.Second)

	mark := v.Mark()
	must(t, clear())
	_, err = v.AwaitPath("udp", mark, climbBack)
	must(t, err)
	time.Sleep(2 * time.Second)
	verdict := settle(t, events, v, 1)
	t.Log(verdict)
	if !verdict.OK() {
		t.Error("events were lost, repeated, reordered or harmed")
	}
}
