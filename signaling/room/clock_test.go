package room

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// TestClock: a clock that is wrong for certain is told, also by other servers, and that it is right again; each once, and nothing of who is offline.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{ID: "a"}, nil)
		run(t, r)
		s, _ := join(t, r, hello("rig", time.Minute))
		link := &fakeLink{}
		v := r.Enter(link, auth.Viewer, "")
		defer v.Leave()
		v.Handle(signalFrame(t, 0, signal.Message{Type: signal.Watch}), time.Now())
		told := 0
		measure := func(ahead, err time.Duration, right bool, want int64, news int) {
			t.Helper()
			if got := s.Clock(ahead, err); got != right {
				t.Errorf("%v ± %v: right is %v", ahead, err, got)
			}
			if got := r.Devices()[0].AheadMS; got != want {
				t.Errorf("%v ± %v: %d ms are told, want %d", ahead, err, got, want)
			}
			time.Sleep(2 * restBetween)
			synctest.Wait()
			count := len(link.signals(t, signal.Devices))
			if count-told != news {
				t.Errorf("%v ± %v: told %d times, want %d", ahead, err, count-told, news)
			}
			told = count
		}
		measure(4*time.Second, 0, true, 0, 1) // the list
		measure(time.Minute, time.Minute, true, 0, 0)
		measure(-time.Hour, time.Second, false, -3_600_000, 1)
		measure(-time.Hour-time.Second, time.Second, false, -3_600_000, 0)
		measure(time.Hour, time.Second, false, 3_600_000, 1)
		other := New(Config{ID: "b"}, nil)
		other.SetAlive("a", true)
		r.mu.Lock()
		rec := r.devices[s.ID()].toRecord("a")
		r.mu.Unlock()
		other.Learn(rec)
		if got := other.Devices()[0].AheadMS; got != 3_600_000 {
			t.Errorf("another server tells %d ms", got)
		}
		s.End(Cut)
		if d := r.Devices()[0]; d.AheadMS != 0 {
			t.Errorf("offline: %+v", d)
		}
		s, _ = join(t, r, hello("rig", time.Minute))
		if d := r.Devices()[0]; d.AheadMS != 0 {
			t.Errorf("not measured yet: %+v", d)
		}
		measure(0, 0, true, 0, 1) // that it came
	})
}
