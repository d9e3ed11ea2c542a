package fallback

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// What the box of TestIdleCut lets rest, and how seldom the agent there says something by itself.
const (
	mayRest      = 2 * time.Second
	seldom       = "20s"
	outlivesRest = 4 * mayRest
)

// TestIdleCut: a box cuts connections that rest. After two cuts the agent knows, says so, and rests no more for so long.
func TestIdleCut(t *testing.T) {
	t.Parallel()
	c := newCell(t, "dev")
	w := boxWith("-cut-idle", mayRest.String())(t, c)
	agent, err := c.boxed(w).StartDevice(c.dev, device, "--source", "stdin", "--keep-alive", seldom)
	must(t, err)
	endWith(t, "agent", agent)
	found, err := agent.WaitFor(regexp.MustCompile(`.*idle-cut.*`), patience)
	must(t, err)
	t.Log(found[0])
	time.Sleep(outlivesRest)
	if links := strings.Count(agent.Tail(10_000), `"msg":"linked"`); links != 3 {
		t.Errorf("there were %d links, want two that were cut and one that was not", links)
	}
}
