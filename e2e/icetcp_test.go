package e2e

import (
	"regexp"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// A device whose network drops UDP, and whose firewall lets its TCP port in, is met there by who asks for that, without a
// server between; as soon as UDP goes, the path goes over that. No event is lost or comes twice.
func TestDeviceThatListensOverTCP(t *testing.T) {
	for _, kind := range watchers {
		t.Run(kind.name, func(t *testing.T) {
			w := newWorld(t)
			must(t, w.dev.DenyInbound(4433))
			must(t, w.dev.CutUDP())
			device := w.startDevice(t, "board", "--source", "sim,rate=20", "--source", "stdin", "--ice-tcp", ":4433")
			declareLog(t, device)
			v := startOnly(t, w, kind.shows, "udp,tcp,ws")
			first, err := v.AwaitSample("ws", 0, firstPath)
			must(t, err)
			events := startProducer(t, device, 1)
			up, err := v.AwaitPath("tcp", 0, turnedWithin)
			must(t, err)
			_, err = v.AwaitSample("tcp", 0, turnedWithin)
			must(t, err)
			t.Logf("tcp named %v after the first sample", up.At.Sub(first.At))

			mark := v.Mark()
			must(t, w.dev.MendUDP())
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

// What the drawer finds out of a network agrees with what passes there; what it cannot know it does not claim.
func TestPageFindsOutItsNetwork(t *testing.T) {
	w := newWorld(t)
	must(t, w.view.CutUDP())
	w.startDevice(t, "board", "--source", "sim,rate=5")
	v := w.browse(t, "board")
	must(t, v.Write("network"))
	told, err := v.Await("network", 0, 30*time.Second, func(e rig.Event) bool { return e.Type == "network" })
	must(t, err)
	t.Log(told.Text)
	for _, want := range []string{
		"NAT failed ?udp-blocked", "UDP to the server failed ?udp-blocked", "\\(ICE-TCP\\) .* works",
		"TURN over UDP failed ?udp-blocked", "TURN over TCP .* works", "TURN over TLS unknown",
	} {
		if !regexp.MustCompile(want).MatchString(told.Text) {
			t.Errorf("it does not say %q", want)
		}
	}
}
