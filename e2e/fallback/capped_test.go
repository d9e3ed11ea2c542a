package fallback

import (
	"regexp"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// TestBodiesCapped: a box refuses request bodies that are larger than it likes. An agent whose ten streams have 5,000 bytes to say at
// once says them in smaller ones, names that, and loses nothing.
func TestBodiesCapped(t *testing.T) {
	t.Parallel()
	c := newCell(t, "dev")
	w := boxWith("-strip-upgrade", "-cap-body", "4096")(t, c)
	agent, err := c.boxed(w).StartDevice(c.dev, device, "--source", "stdin", "--source", "sim,rate=20,size=500,streams=10")
	must(t, err)
	endWith(t, "agent", agent)
	must(t, rig.DeclareLog(agent))
	linked(t, agent)
	v, err := c.View(c.view, device)
	must(t, err)
	endWith(t, "view", v.Program)
	firstSample(t, v, 0)
	events := rig.StartProducer(agent, 1)
	t.Cleanup(events.Stop)
	told, err := agent.WaitFor(regexp.MustCompile(`.*body-capped.*`), patience)
	must(t, err)
	t.Log(told[0])
	time.Sleep(counted)
	verdict, err := events.Settle(v, 1)
	must(t, err)
	t.Log(verdict)
	if !verdict.OK() || verdict.Delivered == 0 {
		t.Errorf("%v: want all of them, once, in order", verdict)
	}
}
