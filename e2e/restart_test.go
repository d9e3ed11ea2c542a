package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// An agent that is killed and started again at once is the same device: it takes its place over and is not refused.
func TestAgentIsKilledAndStartedAgain(t *testing.T) {
	w := newWorld(t)
	device := w.startDevice(t, "board", "--source", "sim,rate=20")
	v := w.watch(t, "board")
	first, err := v.AwaitSample("udp", 0, firstPath)
	must(t, err)

	device.Kill()
	mark := v.Mark()
	killed := time.Now()
	again, err := w.StartDevice(w.dev, "board", "--source", "sim,rate=20")
	must(t, err)
	endWith(t, "the agent started again", again)
	back, err := v.Await("sample of a new epoch", mark, 10*time.Second, func(e rig.Event) bool {
		return e.Type == "sample" && !e.Retained && e.Epoch != first.Epoch
	})
	must(t, err)
	t.Logf("fresh %v after the kill", back.At.Sub(killed))
	if strings.Contains(again.Tail(1000), "name-taken") {
		t.Errorf("the device was refused under its own name:\n%s", again.Tail(20))
	}
	if back.ID != first.ID {
		t.Errorf("id %s became %s", first.ID, back.ID)
	}
	_, err = v.AwaitSample("udp", v.Mark(), firstPath)
	must(t, err)
}

// Without a server the direct path carries on; with the server back, both ends are linked again and nothing was lost.
func TestServerIsKilledAndStartedAgain(t *testing.T) {
	w := newWorld(t)
	device := w.startDevice(t, "board", "--source", "stdin")
	declareLog(t, device)
	v := w.watch(t, "board")
	_, err := v.AwaitPath("udp", 0, firstPath)
	must(t, err)
	events := startProducer(t, device, 1)
	_, err = v.Await("an event", 0, 10*time.Second, isNumber(1))
	must(t, err)
	time.Sleep(2 * time.Second)

	killed := time.Now()
	w.server.Kill()
	time.Sleep(4 * time.Second)
	if s := silence(t, v, killed); s > slack.Of(stepDown) {
		t.Errorf("%v without an event while the server was away: a direct path needs no server", s)
	}
	w.startServer(t)
	mark := v.Mark()
	w.awaitLive(t, "board")
	_, err = v.Await("an event after the server came back", mark, 10*time.Second, isNumber(events.Count()+1))
	must(t, err)
	if verdict := settle(t, events, v, 1); !verdict.OK() {
		t.Error(verdict)
	}
}
