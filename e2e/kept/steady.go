package kept

import (
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// steady writes the next entry of every stream to a device again and again.
type steady struct {
	stop, done chan struct{}
	made       atomic.Uint64
}

func startSteady(p *program.Program) *steady {
	s := &steady{stop: make(chan struct{}), done: make(chan struct{})}
	go s.run(p)
	return s
}

func (s *steady) run(p *program.Program) {
	defer close(s.done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		n := s.made.Load() + 1
		for i := range Streams {
			if write(p, liveName(i), "live", ledger.Sent{Run: 1, Number: n}, 0) != nil {
				return
			}
		}
		if n%eventEvery == 0 && write(p, rig.LogStream, "event", ledger.Sent{Run: 1, Number: n / eventEvery}, 0) != nil {
			return
		}
		s.made.Store(n)
	}
}

// count is how many entries each live stream has.
func (s *steady) count() uint64 { return s.made.Load() }

// end stops it; it may be called again.
func (s *steady) end() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	<-s.done
}
