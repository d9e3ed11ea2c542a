package e2e

import (
	"testing"
	"time"
)

// A device whose network drops UDP, and whose firewall lets its TCP port in, is met there by who asks for that, without a
// server between; as soon as UDP goes, the path goes over that. No event is lost or comes twice.
func TestDeviceThatListensOverTCP(t *testing.T) {
	for _, kind := range watchers {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
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
			time.Sleep(3 * time.Second)

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
