package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// The promises of links over data channels to the server itself.
const (
	relayRises    = 5 * time.Second  // from the start, where UDP reaches the server and not the other end
	relayComes    = 60 * time.Second // back, after UDP to the server was cut for a while
	relayRisesWeb = 15 * time.Second // a browser's start included
)

// Device and viewer cannot meet, and both reach the server over UDP: it carries, as soon as it is known that nothing better
// does. A cut of UDP costs 1.5 s at most; events are never lost or repeated; and it comes back by itself.
func TestServerAsAPeer(t *testing.T) {
	for _, kind := range watchers {
		for _, only := range []string{"", "relay-udp,ws"} {
			t.Run(kind.name+" "+only, func(t *testing.T) {
				w := newWorld(t, "--turn", "off") // it would be better than this
				must(t, w.view.PartUDP(w.dev))
				args := []string{"--source", "stdin", "--source", "sim,rate=20"}
				if only != "" {
					args = append(args, "--only", only)
				}
				device := w.startDevice(t, "board", args...)
				declareLog(t, device)
				started := time.Now()
				v := startOnly(t, w, kind.shows, only)
				patience := relayRises
				if kind.shows {
					patience = relayRisesWeb
				}
				up, err := v.AwaitPath("relay-udp", 0, patience)
				must(t, err)
				t.Logf("on the server's data channels after %v: %s", up.At.Sub(started), up.Reason)
				if only == "" {
					awaitReason(t, v, kind.shows, "relay-udp", "udp-blocked")
				}
				events := startProducer(t, device, 1)
				_, err = v.AwaitSample("relay-udp", v.Mark(), 10*time.Second)
				must(t, err)
				time.Sleep(4 * time.Second)
				must(t, v.AwaitStanding("relay-udp", relayComes))

				mark, cut := v.Mark(), time.Now()
				must(t, w.srv.CutUDP())
				down, err := v.AwaitPath("ws", mark, 10*time.Second)
				must(t, err)
				time.Sleep(3 * time.Second)
				quiet := silence(t, v, cut)
				t.Logf("named the WebSocket %v after the cut; longest silence %v", down.At.Sub(cut), quiet)
				if most := slack.Of(stepDown); quiet > most {
					t.Errorf("%v without a fresh event after the cut, want at most %v", quiet, most)
				}
				mark = v.Mark()
				must(t, w.srv.MendUDP())
				mended := time.Now()
				back, err := v.AwaitPath("relay-udp", mark, relayComes)
				must(t, err)
				t.Logf("back %v after the cut was mended", back.At.Sub(mended))
				time.Sleep(2 * time.Second)
				verdict := settle(t, events, v, 1)
				t.Log(verdict)
				if !verdict.OK() {
					t.Error("events were lost, repeated, reordered or harmed")
				}
			})
		}
	}
}

// Where nothing but the server's TCP port can be reached, its data channels go there, and the path says so.
func TestServerAsAPeerOverTCP(t *testing.T) {
	for _, kind := range watchers {
		t.Run(kind.name, func(t *testing.T) {
			w := newWorld(t, "--turn", "off") // it would be better than this
			must(t, w.view.CutUDP())
			device := w.startDevice(t, "board", "--source", "stdin", "--source", "sim,rate=20")
			declareLog(t, device)
			started := time.Now()
			v := startOnly(t, w, kind.shows, "")
			up, err := v.AwaitPath("relay-tcp", 0, relayRisesWeb)
			must(t, err)
			t.Logf("on the server's data channels after %v: %s", up.At.Sub(started), up.Reason)
			awaitReason(t, v, kind.shows, "relay-tcp", "UDP to the server")
			events := startProducer(t, device, 1)
			_, err = v.AwaitSample("relay-tcp", v.Mark(), 10*time.Second)
			must(t, err)
			time.Sleep(3 * time.Second)
			mark := v.Mark()
			must(t, w.view.MendUDP())
			_, err = v.AwaitPath("udp", mark, climbBack)
			must(t, err)
			time.Sleep(2 * time.Second)
			verdict := settle(t, events, v, 1)
			t.Log(verdict)
			if !verdict.OK() {
				t.Error("events were lost, repeated, reordered or harmed")
			}
		})
	}
}

// awaitReason waits until what a person can read says why the path is on that rung.
func awaitReason(t *testing.T, v *rig.Watcher, browser bool, rung, why string) {
	t.Helper()
	if !browser {
		_, err := v.Await("reason "+why, 0, 15*time.Second, func(e rig.Event) bool {
			return e.Type == "path" && e.Path == rung && strings.Contains(e.Reason, why)
		})
		must(t, err)
		return
	}
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		mark := v.Mark()
		must(t, v.Write("drawer"))
		drawer, err := v.Await("drawer", mark, 10*time.Second, func(e rig.Event) bool { return e.Type == "drawer" })
		must(t, err)
		if strings.Contains(drawer.Text, why) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the drawer does not say %q: %s", why, drawer.Text)
		}
	}
}

// startOnly starts a viewer in a terminal or a browser, kept to some rungs.
func startOnly(t *testing.T, w *world, browser bool, only string) *rig.Watcher {
	t.Helper()
	if !browser {
		var args []string
		if only != "" {
			args = []string{"--only", only}
		}
		return w.watch(t, "board", args...)
	}
	if only != "" {
		w.server.LoginURL = strings.Replace(w.server.LoginURL, "#", "?only="+only+"#", 1)
	}
	return w.browse(t, "board")
}
