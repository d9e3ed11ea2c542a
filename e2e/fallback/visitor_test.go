package fallback

import (
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// visitor is a program behind the box: how it comes to its first sample, again, and what it says of why.
type visitor struct {
	name  string
	host  string // where it runs
	first func(t *testing.T, c *cell, w way) *visit
}

// visit is what came of it.
type visit struct {
	agent   *program.Program
	watcher *rig.Watcher  // who is shown what the device publishes
	rung    string        // of the visitor
	took    time.Duration // to the first sample
	again   func(t *testing.T) time.Duration
	says    func(t *testing.T) string // all that the visitor tells its user of paths
}

var (
	inChromium = visitor{"Chromium", "view", firstInChromium}
	inView     = visitor{"view", "view", firstInView}
	ofAgent    = visitor{"agent", "dev", firstOfAgent}
)

func firstInView(t *testing.T, c *cell, w way) *visit {
	agent := c.startListed(t)
	r := c.boxed(w)
	look := func(t *testing.T) (*rig.Watcher, rig.Event, time.Duration) {
		began := time.Now()
		v, err := r.View(c.view, device)
		must(t, err)
		endWith(t, "view", v.Program)
		sample := firstSample(t, v, 0)
		return v, sample, sample.At.Sub(began)
	}
	v, sample, took := look(t)
	return &visit{
		agent: agent, watcher: v, rung: sample.Path, took: took,
		again: func(t *testing.T) time.Duration {
			v.Kill()
			_, _, took := look(t)
			return took
		},
		says: func(t *testing.T) string { return reasons(t, v) },
	}
}

func firstInChromium(t *testing.T, c *cell, w way) *visit {
	agent := c.startListed(t)
	r := c.boxed(w)
	opened, err := r.Open(c.view, r.URL+"/#"+c.code, device, w.browser...)
	if opened.Watcher != nil {
		endWith(t, "Chromium", opened.Program)
	}
	must(t, err)
	b := opened.Watcher
	return &visit{
		agent: agent, watcher: b, rung: shownRung(t, b, opened.First), took: opened.First.At.Sub(opened.Loaded),
		again: func(t *testing.T) time.Duration {
			again, err := b.Reload()
			must(t, err)
			return again.First.At.Sub(again.Loaded)
		},
		says: func(t *testing.T) string {
			must(t, b.Write("drawer"))
			drawer, err := b.Await("drawer", 0, patience, func(e rig.Event) bool { return e.Type == "drawer" })
			must(t, err)
			return drawer.Text
		},
	}
}

// shownRung is the rung that a page names when its first sample is there; the badge may be a moment later.
func shownRung(t *testing.T, b *rig.Watcher, sample rig.Event) string {
	t.Helper()
	if sample.Path != "" {
		return sample.Path
	}
	path, err := b.Await("a path", 0, patience, func(e rig.Event) bool { return e.Type == "path" && e.Path != "" })
	must(t, err)
	return path.Path
}

// firstOfAgent: an agent is not found before it is linked, so the time that it needs for that and the viewer's are added up.
func firstOfAgent(t *testing.T, c *cell, w way) *visit {
	r := c.boxed(w)
	began := time.Now()
	agent := c.startDevice(t, r)
	took := linked(t, agent).Sub(began)
	asked := time.Now()
	v, err := c.View(c.view, device)
	must(t, err)
	endWith(t, "view", v.Program)
	sample := firstSample(t, v, 0)
	return &visit{
		agent: agent, watcher: v, took: took + sample.At.Sub(asked),
		again: func(t *testing.T) time.Duration {
			_, err := agent.Stop(patience)
			must(t, err)
			mark, began := v.Mark(), time.Now()
			c.startDevice(t, r)
			return firstSample(t, v, mark).At.Sub(began)
		},
		// What becomes of the Conns through it, the agent does not tell: their viewers do.
		says: func(t *testing.T) string { return agent.Tail(10_000) + reasons(t, v) },
	}
}

// reasons are what a viewer in a terminal told of its path, all of them.
func reasons(t *testing.T, v *rig.Watcher) (all string) {
	t.Helper()
	events, err := v.Events()
	must(t, err)
	for _, e := range events {
		if e.Type == "path" {
			all += e.Path + ": " + e.Reason + "\n"
		}
	}
	return all
}

// startListed starts an agent that is not behind the box and waits until it can be found.
func (c *cell) startListed(t *testing.T) *program.Program {
	t.Helper()
	agent := c.startDevice(t, c.Rig)
	linked(t, agent)
	return agent
}

// firstSample is the first behind a mark that is not a retained one.
func firstSample(t *testing.T, v *rig.Watcher, mark int) rig.Event {
	t.Helper()
	sample, err := v.AwaitSample("", mark, patience)
	must(t, err)
	return sample
}

// tells says whether a failure is named in a text: by its name, or in the words of the table.
func tells(text, failure string) bool {
	return strings.Contains(text, failure) || strings.Contains(strings.ToLower(text), strings.ToLower(wordsOf(failure)))
}
