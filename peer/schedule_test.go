package peer

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var schedules = flag.Int("schedules", 12, "random schedules of faults to go through")

// TestSchedules puts a device and two viewers through whatever can happen to
// networks and programs, in random order, and audits what the viewers were told.
func TestSchedules(t *testing.T) {
	for seed := range uint64(*schedules) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { schedule(t, seed) })
		})
	}
}

func schedule(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := newWorld(t, peertest.Config{Delay: oneWay / 2, Loss: 0.03, Seed: seed})
	const every = 40 * time.Millisecond
	w.boot(every)
	time.Sleep(time.Second)
	viewers := []*watcher{w.watch(nil), w.watch(func(c *ViewConfig) { c.NoDirect = seed%3 == 0 })}
	for range 40 {
		time.Sleep(time.Duration(rng.IntN(6000)) * time.Millisecond)
		w.mishap(rng, every, viewers)
	}
	w.settle(viewers...)
	w.end(&w.device.node, &viewers[0].node, &viewers[1].node)
}

// mishap does one bad thing to somebody, and undoes it after a while.
func (w *world) mishap(rng *rand.Rand, every time.Duration, viewers []*watcher) {
	for_ := time.Duration(rng.IntN(8000)) * time.Millisecond
	somebody := &w.device.node
	if rng.IntN(3) > 0 {
		somebody = &viewers[rng.IntN(len(viewers))].node
	}
	link := somebody.medium()
	what := rng.IntN(7)
	w.t.Logf("%v: mishap %d", time.Now().Format("04:05.000"), what)
	switch what {
	case 0, 1:
		w.ether.Cut()
		time.Sleep(for_)
		w.ether.Heal()
	case 2:
		if link != nil {
			link.Cut()
			time.Sleep(for_)
			link.Heal()
		}
	case 3:
		if link != nil {
			link.Break(fmt.Errorf("reset"))
		}
	case 4:
		w.relay.Stop()
		time.Sleep(for_)
		w.relay.Start()
	case 5:
		w.device.kill()
		w.boot(every)
	case 6:
		w.device.stop()
		w.boot(every)
	}
}
