package fallback

import (
	"regexp"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// TestBodiesCapped: a box refuses request bodies that are larger than it likes. An agent that has much to say at once says it in
// smaller ones, names that, and loses nothing.
func TestBodiesCapped(t *testing.T) {
	t.Parallel()
	c := newCell(t, "dev")
	w := boxWith("-strip-upgrade", "-cap-body", "4096")(t, c)
	agent := c.startDevice(t, c.boxed(w))
	linked(t, agent)
	v, err := c.View(c.view, device)
	must(t, err)
	endWith(t, "view", v.Program)
	firstSample(t, v, 0)
	events := rig.ProduceEvery(agent, 1, time.Millisecond)
	t.Cleanup(events.Stop)
	told, err := agent.WaitFor(regexp.MustCompile(`.*body-capped.*`), patience)
	must(t, err)
	t.Log(told[0])
	time.Sleep(time.Second)
	verdict, err := events.Settle(v, 1)
	must(t, err)
	t.Log(verdict)
	if !verdict.OK() || verdict.Delivered == 0 {
		t.Errorf("%v: want all of them, once, in order", verdict)
	}
}
