// Package switches takes away what carries a stream, in the middle of it, again and again, and keeps the book: every event that
// the device made must come once and in order, or be declared as a gap, and a fresh sample must come in time.
//
// The viewer stands at the far end of an emulated link, so that something is always under way. `make test` runs each kind once,
// `make soak` fifty times.
package switches

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Kind is one way of taking away what carries.
type Kind struct {
	Name    string
	Means   string        // for the table
	Fresh   time.Duration // a sample that was made afterwards comes within this time, 95 times of 100
	Browses bool          // the viewer is a Chromium

	home  string // who is behind a NAT of its own at the near end of the link: "viewer", "device"; empty: nobody, the viewer is there
	ready string // rung on which the viewer must stand before it begins again
	watch func(*world) (*rig.Watcher, error)
	fault func(*world, *rand.Rand) (mended time.Time, err error) // fresh counts from mended on
}

// Kinds are all there are.
var Kinds = []Kind{
	{
		Name: "udp-cut", Means: "UDP is dropped silently for 1 to 3 s, then passes again", Fresh: 1500 * time.Millisecond,
		ready: "udp", watch: viewBy(), fault: cutUDP,
	},
	{
		Name: "server-kill", Means: "the server is killed (SIGKILL) and started again, the viewer on the relay", Fresh: 15 * time.Second,
		ready: "ws", watch: viewBy("--relay"), fault: killServer,
	},
	{
		Name: "agent-restart", Means: "the agent is ended (SIGTERM) and started again", Fresh: 15 * time.Second,
		ready: "udp", watch: viewBy(), fault: restartAgent,
	},
	{
		Name: "proxy-restart", Means: "the HTTP proxy of the viewer (squid) is killed and started again", Fresh: 15 * time.Second,
		ready: "ws", watch: viewByProxy, fault: restartProxy,
	},
	{
		Name: "tab-reload", Means: "a tab of Chromium is reloaded; fresh counts from the new document", Fresh: 5 * time.Second,
		Browses: true, ready: "udp", watch: browse, fault: reloadTab,
	},
	{
		Name: "viewer-moves", Means: "the viewer's host gets another address, and knows it", Fresh: time.Second,
		home: "viewer", ready: "udp", watch: viewBy(), fault: moveHome,
	},
	{
		Name: "page-moves", Means: "the same with Chromium", Fresh: time.Second,
		Browses: true, home: "viewer", ready: "udp", watch: browse, fault: moveHome,
	},
	{
		Name: "device-moves", Means: "the device's host gets another address, and knows it", Fresh: time.Second,
		home: "device", ready: "udp", watch: viewBy(), fault: moveHome,
	},
	{
		Name: "viewer-rerouted", Means: "the router in front of the viewer gets another public address, and tells nobody", Fresh: time.Second,
		home: "viewer", ready: "udp", watch: viewBy(), fault: moveRouter,
	},
	{
		Name: "device-rerouted", Means: "the router in front of the device gets another public address, and tells nobody", Fresh: time.Second,
		home: "device", ready: "udp", watch: viewBy(), fault: moveRouter,
	},
}

// Result is what came of one kind.
type Result struct {
	Kind    Kind
	Count   int
	Fresh   []time.Duration // one a fault
	Back    []time.Duration // until the viewer stood on the rung again where it had stood before
	Verdict ledger.Verdict
}

const (
	climbBack = 60 * time.Second // to the best rung, after what was taken away is back
	link      = "delay=20ms loss=0.5%"
)

// Run does count faults of a kind; what is random in them follows from seed. say is told of each.
func Run(kind Kind, count int, seed uint64, say func(format string, args ...any)) (*Result, error) {
	t, err := Start(kind)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return t.Run(count, seed, say)
}

// Trial is a kind whose programs are up, and whose viewer stands where it is to stand.
type Trial struct {
	kind Kind
	w    *world

	remove func() // of its folder
}

// Start makes a trial. A browser, and ten programs beside it, take all of a small machine for a while: whoever has several trials
// at once starts one after the other.
func Start(kind Kind) (*Trial, error) {
	dir, remove, err := tidy.Folder("telepath-switches-")
	if err != nil {
		return nil, err
	}
	t := &Trial{kind: kind, remove: remove}
	if t.w, err = newWorld(dir, kind); err != nil {
		err = t.withLogs(fmt.Errorf("%s does not come up: %w", kind.Name, err))
		t.Close()
		return nil, err
	}
	return t, nil
}

// Close ends all that Start has started.
func (t *Trial) Close() {
	if t.w != nil {
		t.w.close()
	}
	t.remove()
}

// Run does count faults. It is called once.
func (t *Trial) Run(count int, seed uint64, say func(format string, args ...any)) (*Result, error) {
	r := &Result{Kind: t.kind, Count: count}
	if err := t.w.begin(); err != nil {
		return r, t.withLogs(fmt.Errorf("%s, at the beginning: %w", t.kind.Name, err))
	}
	chance := rand.New(rand.NewPCG(seed, 0))
	for i := range count {
		if err := r.once(t.w, chance); err != nil {
			return r, t.withLogs(fmt.Errorf("%s %d of %d: %w", t.kind.Name, i+1, count, err))
		}
		say("%s %d of %d: fresh after %v, back after %v", t.kind.Name, i+1, count, r.Fresh[i].Round(time.Millisecond), r.Back[i].Round(time.Millisecond))
	}
	var err error
	if r.Verdict, err = t.w.settle(); !r.Verdict.OK() || os.Getenv("EXPLAIN") != "" {
		t.w.explain(say)
	}
	switch {
	case err != nil:
		err = t.withLogs(fmt.Errorf("%s, at the end: %w", t.kind.Name, err))
	case !r.Verdict.OK():
		err = t.withLogs(fmt.Errorf("%s: %v", t.kind.Name, r.Verdict))
	}
	return r, err
}

// withLogs adds to an error where what the programs said is kept.
func (t *Trial) withLogs(err error) error {
	if t.w == nil {
		return err
	}
	dir, kept := rig.KeepLogs(t.w.programs()...)
	if kept != nil {
		return errors.Join(err, kept)
	}
	return fmt.Errorf("%w; what its programs said is in %s", err, dir)
}

// once does one fault and waits until all is as it was before.
func (r *Result) once(w *world, chance *rand.Rand) error {
	time.Sleep(between(chance, 500*time.Millisecond, 2*time.Second))
	mark := w.viewer.Mark()
	mended, err := r.Kind.fault(w, chance)
	if err != nil {
		return err
	}
	fresh, err := w.awaitMade(mended, mark)
	if err != nil {
		return err
	}
	back, err := w.awaitRung(r.Kind.ready, mended, mark)
	if err != nil {
		return err
	}
	r.Fresh = append(r.Fresh, fresh)
	r.Back = append(r.Back, back)
	return nil
}

// Judge says what is wrong, if anything is.
func (r *Result) Judge() error {
	if !r.Verdict.OK() {
		return fmt.Errorf("%s: %v", r.Kind.Name, r.Verdict)
	}
	if p95, most := Quantile(r.Fresh, 0.95), slack.Of(r.Kind.Fresh); p95 > most {
		return fmt.Errorf("%s: a fresh sample came after %v (95 of 100), want at most %v", r.Kind.Name, p95, most)
	}
	if worst := Quantile(r.Back, 1); worst > climbBack {
		return fmt.Errorf("%s: back after %v, want at most %v", r.Kind.Name, worst, climbBack)
	}
	return nil
}

// Quantile of some times.
func Quantile(times []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// between is a random time.
func between(chance *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(chance.Int64N(int64(most-least)))
}
