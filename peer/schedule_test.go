package peer

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var schedules = flag.Int("schedules", 8, "random schedules of faults to go through")

// TestSchedules puts a device and two viewers through whatever can happen to
// networks and programs, in random order, and audits what the viewers were told.
func TestSchedules(t *testing.T) {
	for seed := range uint64(*schedules) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { schedule(t, seed) })
		})
	}
}

// TestSchedulesThroughBoxes is the same where something between lets some rungs
// through, now these and then those.
func TestSchedulesThroughBoxes(t *testing.T) {
	for seed := range uint64(*schedules+1) / 2 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { boxedSchedule(t, seed) })
		})
	}
}

func boxedSchedule(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 11))
	w := newWorld(t, peertest.Config{Delay: oneWay / 2})
	b := &box{}
	b.block(ladder.WS)
	w.before = func(d *device) { d.behind(b, w.relay, d.host.link, true) }
	const every = 40 * time.Millisecond
	w.boot(every)
	time.Sleep(time.Second)
	viewers := []*watcher{w.watchThrough(b, true), w.watchThrough(b, seed%2 == 0)}
	for range 40 {
		var blocked []ladder.Rung
		for _, rung := range linkRungs {
			if rng.IntN(2) == 0 {
				blocked = append(blocked, rung)
			}
		}
		b.block(blocked...)
		links := []*link{w.device.host.link, viewers[0].conn.link, viewers[1].conn.link}
		somebody := links[rng.IntN(len(links))]
		somebody.racer.changed.ring()
		time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
		undo := w.mishap(rng, every, viewers)
		time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
		undo()
	}
	b.block()
	w.settle(viewers...)
}

func schedule(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := newWorld(t, peertest.Config{Delay: oneWay / 2, Loss: 0.03, Seed: seed})
	w.size = []int{12, 12, 4000}[seed%3] // the largest fill a Conn's flight
	if seed%2 == 1 {
		w.relay.Tell(someServer)
	}
	const every = 40 * time.Millisecond
	w.boot(every)
	time.Sleep(time.Second)
	viewers := []*watcher{w.watch(nil), w.watch(func(c *ViewConfig) { c.NoDirect = seed%4 == 0 })}
	var undoing sync.WaitGroup
	for range 50 {
		time.Sleep(time.Duration(rng.IntN(5000)) * time.Millisecond)
		undo := w.mishap(rng, every, viewers)
		for_ := time.Duration(rng.IntN(8000)) * time.Millisecond
		undoing.Go(func() { time.Sleep(for_); undo() })
		if rng.IntN(2) == 0 { // otherwise they overlap
			undoing.Wait()
		}
	}
	undoing.Wait()
	w.settle(viewers...)
}

// mishap does one bad thing to somebody. What it returns undoes it.
func (w *world) mishap(rng *rand.Rand, every time.Duration, viewers []*watcher) (undo func()) {
	somebody := &w.device.node
	if rng.IntN(3) > 0 {
		somebody = &viewers[rng.IntN(len(viewers))].node
	}
	link := somebody.medium()
	undo = func() {}
	switch what := rng.IntN(8); {
	case what <= 1:
		w.ether.Cut()
		undo = w.ether.Heal
	case what == 2 && link != nil:
		link.Cut()
		undo = link.Heal
	case what == 3 && link != nil:
		link.Break(errors.New("reset"))
	case what == 4:
		w.relay.Stop()
		undo = w.relay.Start
	case what == 5:
		w.device.kill()
		w.boot(every)
	case what == 6:
		w.device.stop()
		w.boot(every)
	case what == 7:
		w.turn.Cut()
		undo = w.turn.Heal
	}
	return undo
}
