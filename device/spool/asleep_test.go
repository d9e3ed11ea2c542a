package spool

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/disk/disktest"
)

// A machine that is awake for a second in each minute: what it keeps gets old as that of any other does, and its clock is not set
// when it wakes.
func TestAMachineThatIsSuspended(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var slept atomic.Int64 // ns
			asleep := func() time.Duration { return time.Hour + time.Duration(slept.Load()) }
			b := &board{ledger: newLedger(), disk: disktest.New(41)}
			s := begin(t, Config{
				FS: b.disk, Bytes: 1 << 20, Refuse: refuse, asleep: asleep,
				wall: func() time.Time { return right().Add(time.Duration(slept.Load())) },
			})
			defer s.end()
			for range 40 * 60 {
				b.make(s, 7, 1)
				slept.Add(int64(59 * time.Second))
			}
			time.Sleep(time.Second)
			if n := b.count(t, s, 0); n < 24*60 || n > 28*60 {
				t.Errorf("refuse %v: %d samples of the last day, want 1440 and up to an eighth more", refuse, n)
			}
			if n := b.count(t, s, time.Hour); n < 59 || n > 61 {
				t.Errorf("refuse %v: %d samples of the last hour, want 60", refuse, n)
			}
			if n := s.Stats().Segments; n > 10 {
				t.Errorf("refuse %v: %d files", refuse, n)
			}
		})
	}
}

// A machine that is suspended for a moment each time.
func TestShortSleepsAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slept := time.Duration(0)
		s, err := Open(Config{FS: disktest.New(42), asleep: func() time.Duration { return slept }})
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			slept += 100 * time.Millisecond
			s.mu.Lock()
			s.wokenLocked()
			s.mu.Unlock()
		}
		if now := s.now(); now < 99*time.Second || now > 100*time.Second {
			t.Errorf("%v have passed, want 100 s", now)
		}
	})
}
