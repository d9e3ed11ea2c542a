package peer

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// full is a carrier that has dropped so many samples for want of room.
type full struct {
	carrier.Carrier
	dropped uint64
}

func (f *full) Stats() (s carrier.Stats) {
	s.Drops[carrier.Deadline] = f.dropped
	return s
}

// TestNarrowHop: a hop is the device's own where all who have a direct path miss samples, and as long as they do.
func TestNarrowHop(t *testing.T) {
	h := &Host{conns: map[string]*hostConn{}}
	watch := func(id string, attempt *attempt) *full {
		f := &full{}
		c := &hostConn{host: h, id: id, paths: newPaths(time.Now)}
		c.paths.legs = []*leg{{id: 1, carrier: f, attempt: attempt}}
		h.conns[id] = c
		return f
	}
	expect := func(what string, want bool) {
		t.Helper()
		if h.narrow() != want {
			t.Errorf("%s: narrow is %v", what, !want)
		}
	}
	expect("nobody watches", false)
	relayed := watch("relayed", nil)
	relayed.dropped = 5
	expect("one on the relay", false)
	near, far := watch("near", &attempt{}), watch("far", &attempt{})
	expect("all comes", false)
	near.dropped, far.dropped = 3, 1
	expect("both miss some", true)
	expect("no longer", false)
	far.dropped++
	expect("one is slow", false)
}
