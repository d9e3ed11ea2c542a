package spool

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/disk/disktest"
)

// right is the time, in 2026: in a bubble it is 2000, when a clock is not set yet.
func right() time.Time { return time.Now().AddDate(26, 0, 0) }

// board is a device whose clock is wrong by off.
type board struct {
	ledger *ledger
	disk   disk.FS
	off    time.Duration
}

func (b *board) begin(t *testing.T) *life {
	return begin(t, Config{FS: b.disk, Age: 24 * time.Hour, wall: func() time.Time { return right().Add(b.off) }})
}

// make makes a sample a second.
func (b *board) make(s *life, epoch uint32, n int) {
	for range n {
		b.ledger.produce(s.Spool, Key{epoch, 1}, 1, 8)
		time.Sleep(time.Second)
	}
}

// count is how many samples there are, of so far back.
func (b *board) count(t *testing.T, s *life, since time.Duration) (n int) {
	t.Helper()
	r := s.Read(Query{Streams: map[string]Place{nameOf(1): {}}, Since: since})
	defer r.Close()
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		if item.Gap.From == 0 {
			n += item.Header.Count
		}
	}
}

// steps are how wrong a device's clock is when it begins, until it is set.
func steps() map[string]time.Duration {
	return map[string]time.Duration{
		"right":               0,
		"in 1970":             time.Duration(5-right().Unix()) * time.Second,
		"three days behind":   -72 * time.Hour, // a board that goes on where it was switched off
		"a day ahead":         24 * time.Hour,
		"half a minute ahead": 30 * time.Second,
	}
}

// What is kept depends neither on a clock that is wrong nor on its being set: not in the run in which that happens, nor in the next one.
func TestTheMachinesClockIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, off := range steps() {
			b := &board{newLedger(), disktest.New(1), off}
			s := b.begin(t)
			b.make(s, 7, 300)
			b.off = 0
			b.make(s, 7, 300)
			if n := b.count(t, s, 0); n != 600 {
				t.Errorf("%s: %d samples of 600", name, n)
			}
			for _, back := range []time.Duration{100 * time.Second, 400 * time.Second} { // one on each side of the turn
				if n, want := b.count(t, s, back), int(back.Seconds()); n < want-1 || n > want+1 {
					t.Errorf("%s: %d samples of the last %v", name, n, back)
				}
			}
			s.end()
			s = b.begin(t)
			time.Sleep(time.Minute)
			if n := b.count(t, s, 0); n != 600 {
				t.Errorf("%s: %d samples of 600 in the next run", name, n)
			}
			time.Sleep(25 * time.Hour)
			b.make(s, 8, 2)
			if n := b.count(t, s, 0); n != 2 {
				t.Errorf("%s: %d samples when all but 2 were too old", name, n)
			}
			s.end()
		}
	})
}

// A board that never hears the time begins each of its runs in 1970.
func TestTheMachinesClockIsNeverSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{ledger: newLedger(), disk: disktest.New(1)}
		for epoch := uint32(1); epoch <= 3; epoch++ {
			b.off = time.Duration(5-right().Unix()) * time.Second
			s := b.begin(t)
			b.make(s, epoch, 100)
			if n := b.count(t, s, 0); n != 100*int(epoch) {
				t.Errorf("run %d: %d samples", epoch, n)
			}
			s.end()
		}
		b.off = 0 // now it hears it, and begins with it
		s := b.begin(t)
		defer s.end()
		time.Sleep(time.Minute)
		if n := b.count(t, s, 0); n != 300 {
			t.Errorf("with the right time: %d samples of 300", n)
		}
	})
}
