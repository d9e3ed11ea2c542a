package spool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/disk/disktest"
)

var errBroken = errors.New("input/output error")

// Every Nth operation of a kind fails, of writes and syncs for each N up to 100: when the disk is
// well again everything that was taken is there, once.
func TestEveryNthFails(t *testing.T) {
	often := map[string]int{"write": 100, "sync": 100, "create": 10, "sync folder": 10, "remove": 5, "list": 2}
	for op, most := range often {
		for n := 1; n <= most; n++ {
			t.Run(fmt.Sprintf("%s/%d", op, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { everyNth(t, op, n, manySegments) })
			})
			t.Run(fmt.Sprintf("%s/%d/merging", op, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { everyNth(t, op, n, 3) })
			})
		}
	}
}

func everyNth(t *testing.T, op string, n, many int) {
	disk, l, r := disktest.New(uint64(n)), newLedger(), rand.New(rand.NewPCG(uint64(n), 2))
	count := 0
	disk.FailWith(func(what string) error {
		if what == op {
			if count++; count%n == 0 {
				return errBroken
			}
		}
		return nil
	})
	s := begin(t, Config{FS: disk, Bytes: 1 << 20, many: many})
	produceSome(l, s.Spool, 7, r, 300)
	recovers(disk, l, s, r)
	if n == 1 && op == "write" && s.Stats().Failures == 0 {
		t.Error("no failure was met")
	}
	last := l.streams[nameOf(1)]
	if ticket := last[len(last)-1].ticket; s.Durable() < ticket {
		t.Errorf("durable up to %d, not up to %d, with a disk that is well", s.Durable(), ticket)
	}
	l.check(t, readAll(t, s.Spool, l), taken)
	s.end()
	again := begin(t, Config{FS: disk, Bytes: 1 << 20, many: many})
	defer again.end()
	l.check(t, readAll(t, again.Spool, l), taken)
}

// recovers makes the disk well and waits until the spool is, too.
func recovers(disk *disktest.Memory, l *ledger, s *life, r *rand.Rand) {
	disk.Heal()
	time.Sleep(2 * lastRetry)
	produceSome(l, s.Spool, 7, r, 30)
	time.Sleep(5 * time.Second)
}

// The power is cut at seeded moments, on a disk that fails now and then: all
// that was called durable is there, nothing is there twice, and what is missing
// is declared.
func TestPowerCuts(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) { powerCuts(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func powerCuts(t *testing.T, seed uint64) {
	disk, l, r := disktest.New(seed), newLedger(), rand.New(rand.NewPCG(seed, 3))
	durable := map[uint32]uint64{}
	for epoch := uint32(1); epoch <= 4; epoch++ {
		rate := r.IntN(40)
		disk.FailWith(func(string) error {
			if rate > 0 && disk.Rand.IntN(rate+1) == 0 {
				return errBroken
			}
			return nil
		})
		s := begin(t, Config{FS: disk, Bytes: 8 << 20, many: int(3 + seed%2*manySegments)})
		produceSome(l, s.Spool, epoch, r, r.IntN(400))
		time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond)
		durable[epoch] = s.Durable()
		disk = disk.Cut()
		s.end()
	}
	s := begin(t, Config{FS: disk, Bytes: 8 << 20, many: int(3 + seed%2*manySegments)})
	defer s.end()
	l.check(t, readAll(t, s.Spool, l), func(m made) bool { return m.ticket > 0 && m.ticket <= durable[m.key.Epoch] })
}

// A disk without room costs the oldest. When there is room again everything goes on.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l, r := disktest.New(9), newLedger(), rand.New(rand.NewPCG(9, 4))
		disk.Bound(300 << 10)
		s := begin(t, Config{FS: disk, Bytes: 1 << 20})
		defer s.end()
		produceSome(l, s.Spool, 7, r, 5000)
		time.Sleep(lastRetry)
		l.check(t, readAll(t, s.Spool, l), func(made) bool { return false })
		if s.Stats().Removed == 0 || s.Stats().Failures == 0 {
			t.Errorf("%+v: the disk was never full", s.Stats())
		}
		disk.Heal()
		time.Sleep(2 * lastRetry)
		later := newLedger()
		later.streams[nameOf(1)] = l.streams[nameOf(1)][len(l.streams[nameOf(1)])-1:]
		for range 100 {
			later.produce(s.Spool, Key{7, 1}, 1, 80)
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		l.streams[nameOf(1)] = append(l.streams[nameOf(1)], later.streams[nameOf(1)][1:]...)
		l.check(t, readAll(t, s.Spool, l), func(m made) bool {
			return m.key.Stream == 1 && m.first >= later.streams[nameOf(1)][1].first
		})
	})
}

// A disk that takes nothing for a long time: memory is bounded, and what found
// no room is refused and declared.
func TestADiskThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l, r := disktest.New(10), newLedger(), rand.New(rand.NewPCG(10, 5))
		disk.FailWith(func(string) error { return errBroken })
		s := begin(t, Config{FS: disk, Memory: 64 << 10})
		defer s.end()
		produceSome(l, s.Spool, 7, r, 3000)
		if s.held > 64<<10 {
			t.Errorf("%d bytes held", s.held)
		}
		refused := s.Stats().Refused
		recovers(disk, l, s, r)
		all := readAll(t, s.Spool, l)
		l.check(t, all, taken)
		gone := 0
		for _, f := range all {
			gone += len(f.gone)
		}
		if refused == 0 || uint64(gone) != refused {
			t.Errorf("%d samples were refused, %d declared", refused, gone)
		}
	})
}

// Nothing of this run is on a disk that takes nothing. Who knows some of it is told nothing of the runs before once more.
func TestNothingIsReadAgainWhileNothingIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(11), newLedger()
		s := begin(t, Config{FS: disk})
		l.produce(s.Spool, Key{7, 1}, 3, 80)
		s.end()
		disk.FailWith(func(op string) error {
			if op == "list" {
				return nil
			}
			return errBroken
		})
		s = begin(t, Config{FS: disk})
		defer s.end()
		for range 3 {
			l.produce(s.Spool, Key{8, 1}, 1, 80)
		}
		time.Sleep(time.Second)
		read := func() (items []Item) {
			r := s.Read(Query{Streams: map[string]Place{nameOf(1): {8, 2}}})
			defer r.Close()
			for {
				item, err := r.Next()
				if err != nil {
					return items
				}
				items = append(items, item)
			}
		}
		if items := read(); len(items) > 0 {
			t.Errorf("%+v came, and nothing was written behind it", items)
		}
		disk.Heal()
		time.Sleep(2 * lastRetry)
		if items := read(); len(items) != 1 || items[0].Header.Seq != 3 {
			t.Errorf("%+v came, want the third", items)
		}
	})
}
