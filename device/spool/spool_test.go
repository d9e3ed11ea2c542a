package spool

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/disk/disktest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// life is one run of a program with a spool, within a bubble of synctest.
type life struct {
	*Spool
	end func()
}

func begin(t testing.TB, cfg Config) *life {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return &life{s, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}}
}

// produceSome makes batches of three streams, a few milliseconds apart.
func produceSome(l *ledger, s *Spool, epoch uint32, r *rand.Rand, batches int) {
	for range batches {
		l.produce(s, Key{epoch, uint32(1 + r.IntN(3))}, 1+r.IntN(5), 8*(1+r.IntN(40)))
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
	}
}

func taken(m made) bool { return m.ticket > 0 }

func TestWhatWasWrittenIsReadByTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l, r := disktest.New(1), newLedger(), rand.New(rand.NewPCG(1, 1))
		for epoch := uint32(1); epoch <= 3; epoch++ {
			s := begin(t, Config{FS: disk, Bytes: 2 << 20})
			produceSome(l, s.Spool, epoch, r, 400)
			s.end()
		}
		s := begin(t, Config{FS: disk, Bytes: 2 << 20})
		defer s.end()
		all := readAll(t, s.Spool, l)
		l.check(t, all, taken)
		for name, f := range all {
			if len(f.gone) > 0 || len(f.open) > 0 {
				t.Errorf("%s: %d declared missing, %v without end, after runs that ended orderly", name, len(f.gone), f.open)
			}
		}
	})
}

func TestReadersFollowTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l, r := disktest.New(2), newLedger(), rand.New(rand.NewPCG(2, 1))
		s := begin(t, Config{FS: disk, Bytes: 1 << 20})
		defer s.end()
		reader := s.Read(Query{Streams: map[string]Place{nameOf(1): {}}})
		defer reader.Close()
		came, next := 0, uint64(1)
		for range 50 {
			produceSome(l, s.Spool, 7, r, 20)
			time.Sleep(150 * time.Millisecond) // what was made is written by then
			for {
				item, err := reader.Next()
				if err != nil {
					break
				}
				if item.Gap.From != 0 || item.Header.Seq != next {
					t.Fatalf("%+v, want the batch of %d", item, next)
				}
				next = item.Header.Last() + 1
				came++
			}
			if made := l.streams[nameOf(1)]; len(made) != came {
				t.Fatalf("%d batches came of %d", came, len(made))
			}
		}
		if s.Stats().Segments < 3 {
			t.Fatalf("%+v: no segment was left behind", s.Stats())
		}
	})
}

func TestBoundsInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l, r := disktest.New(3), newLedger(), rand.New(rand.NewPCG(3, 1))
		s := begin(t, Config{FS: disk, Bytes: 1 << 20})
		defer s.end()
		for range 10 {
			produceSome(l, s.Spool, 7, r, 2000)
			time.Sleep(2 * time.Second)
			used := disk.Used()
			if used > 1<<20+64<<10 {
				t.Fatalf("%d bytes on a disk that was to have %d", used, 1<<20)
			}
		}
		all := readAll(t, s.Spool, l)
		l.check(t, all, func(made) bool { return false })
		for name, f := range all { // the newest half is there in any case
			batches := l.streams[name]
			newest := batches[len(batches)-len(batches)/10:]
			for _, m := range newest {
				if !f.came[Place{m.key.Epoch, m.first}] {
					t.Fatalf("%s %d of %d is gone already", name, m.first, batches[len(batches)-1].last)
				}
			}
			if f.came[Place{7, 1}] {
				t.Errorf("%s: the first sample is still there", name)
			}
		}
	})
}

// Others on the same disk come first: the spool gives way before it is full, and comes back when there is room again.
func TestALittleIsLeftToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l, r := disktest.New(11), newLedger(), rand.New(rand.NewPCG(11, 1))
		disk.Tell(10<<20, 0)
		s := begin(t, Config{FS: disk, Bytes: 8 << 20})
		defer s.end()
		fill := func(others int) (free int64) {
			disk.Tell(10<<20, others)
			produceSome(l, s.Spool, 7, r, 5000)
			time.Sleep(lastRetry)
			free, _, _ = disk.Room()
			return free
		}
		for _, others := range []int{0, 5 << 20, 9 << 20} {
			if free := fill(others); free < 512<<10 {
				t.Errorf("%d bytes are free beside %d of others", free, others)
			}
			if s.Stats().Segments == 0 {
				t.Errorf("nothing is kept beside %d bytes of others", others)
			}
		}
		fill(10 << 20)
		if s.Stats().Segments != 0 {
			t.Errorf("%+v on a disk that others have filled", s.Stats())
		}
		fill(0)
		if s.Stats().Segments == 0 {
			t.Error("nothing is kept although there is room again")
		}
		l.check(t, readAll(t, s.Spool, l), func(made) bool { return false })
	})
}

func TestBoundsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(4), newLedger()
		s := begin(t, Config{FS: disk, Age: time.Hour})
		for range 180 { // a slow stream: a sample a minute
			l.produce(s.Spool, Key{7, 1}, 1, 8)
			time.Sleep(time.Minute)
		}
		f := readAll(t, s.Spool, l)[nameOf(1)]
		if n := len(f.came); n < 60 || n > 80 {
			t.Errorf("%d samples of the last hour and of what belongs to it, want 60 to 80", n)
		}
		s.end()
		time.Sleep(2 * time.Hour)
		s = begin(t, Config{FS: disk, Age: time.Hour})
		defer s.end()
		time.Sleep(time.Second)
		if n := s.Stats().Segments; n != 0 {
			t.Errorf("%d segments two hours later", n)
		}
	})
}

func TestSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(5), newLedger()
		s := begin(t, Config{FS: disk, Bytes: 1 << 20})
		defer s.end()
		for range 3600 {
			l.produce(s.Spool, Key{7, 1}, 1, 80)
			time.Sleep(time.Second)
		}
		r := s.Read(Query{Streams: map[string]Place{nameOf(1): {}}, Since: 10 * time.Minute})
		defer r.Close()
		item, err := r.Next()
		if err != nil || item.Gap.From != 0 || item.Header.Seq < 2998 || item.Header.Seq > 3002 {
			t.Errorf("the last 10 minutes begin with %+v, %v; want about 3000", item, err)
		}
		r = s.Read(Query{Streams: map[string]Place{nameOf(1): {7, 3500}}, Since: 10 * time.Minute})
		defer r.Close()
		item, err = r.Next()
		if err != nil || item.Header.Seq != 3501 {
			t.Errorf("behind 3500 comes %+v, %v", item, err)
		}
	})
}

// A position of a run that nobody knows any more is answered with a gap without end, and then everything.
func TestAnUnknownPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(6), newLedger()
		s := begin(t, Config{FS: disk})
		defer s.end()
		l.produce(s.Spool, Key{7, 1}, 3, 80)
		time.Sleep(time.Second)
		r := s.Read(Query{Streams: map[string]Place{nameOf(1): {5, 40}}})
		defer r.Close()
		item, err := r.Next()
		want := wire.Gap{Stream: 1, Epoch: 5, From: 41, Reason: wire.GapRestart}
		if err != nil || item.Gap != want {
			t.Errorf("first %+v, %v; want %+v", item.Gap, err, want)
		}
		if item, err = r.Next(); err != nil || item.Header.Seq != 1 {
			t.Errorf("then %+v, %v; want the first batch", item, err)
		}
	})
}

// A spool that refuses gives nothing up before it is too old: what it took is there, what it did not take leaves no gap, and
// with age there is room again.
func TestRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(12), newLedger()
		s := begin(t, Config{FS: disk, Bytes: 1 << 20, Age: time.Hour, Refuse: true})
		took, refused := fillUp(t, l, s.Spool)
		if s.Stats().Removed != 0 || took < 700 || refused == 0 {
			t.Errorf("%d taken, %d refused, %+v", took, refused, s.Stats())
		}
		if used := disk.Used(); used > 1<<20 {
			t.Errorf("%d bytes are used", used)
		}
		f := readAll(t, s.Spool, l)[nameOf(1)]
		if len(f.came) != took || len(f.gone) != 0 {
			t.Errorf("%d came of %d, %d are declared missing", len(f.came), took, len(f.gone))
		}
		s.end()
		s = begin(t, Config{FS: disk, Bytes: 1 << 20, Age: time.Hour, Refuse: true})
		defer s.end()
		h, body := bodyOf(Key{8, 1}, 1, 1, 100_000) // more than what was too little for one more of 1000
		if _, err := s.Append(Description{Name: nameOf(1), Class: h.Class}, h, body); !errors.Is(err, ErrNoRoom) {
			t.Errorf("the next run: %v", err)
		}
		time.Sleep(3 * time.Hour)
		if _, err := s.Append(Description{Name: nameOf(1), Class: h.Class}, h, body); err != nil {
			t.Errorf("when all of it is too old: %v", err)
		}
	})
}

// fillUp appends until everything was refused for a while, with the numbers of what was refused again.
func fillUp(t *testing.T, l *ledger, s *Spool) (took, refused int) {
	t.Helper()
	name := nameOf(1)
	for seq := uint64(1); refused < 100; time.Sleep(10 * time.Millisecond) {
		h, body := bodyOf(Key{7, 1}, seq, 1, 1000)
		ticket, err := s.Append(Description{Name: name, Class: h.Class}, h, body)
		if err != nil {
			if !errors.Is(err, ErrNoRoom) {
				t.Fatal(err)
			}
			refused++
			continue
		}
		l.streams[name] = append(l.streams[name], made{Key{7, 1}, seq, seq, ticket})
		seq++
		took++
	}
	return took, refused
}

// A spool that refuses and whose disk fails refuses, too, and keeps all it took.
func TestRefuseWhileTheDiskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(13), newLedger()
		s := begin(t, Config{FS: disk, Bytes: 1 << 20, Memory: 64 << 10, Refuse: true})
		defer s.end()
		disk.Bound(200 << 10)
		refused, seq := 0, uint64(1)
		for range 1000 {
			h, body := bodyOf(Key{7, 1}, seq, 1, 1000)
			ticket, err := s.Append(Description{Name: nameOf(1), Class: h.Class}, h, body)
			if time.Sleep(10 * time.Millisecond); err != nil {
				refused++
				continue
			}
			l.streams[nameOf(1)] = append(l.streams[nameOf(1)], made{Key{7, 1}, seq, seq, ticket})
			seq++
		}
		disk.Heal()
		time.Sleep(2 * lastRetry)
		f := readAll(t, s.Spool, l)[nameOf(1)]
		if refused == 0 || len(f.came) != int(seq-1) || len(f.gone) != 0 || s.Stats().Failures == 0 {
			t.Errorf("%d refused; %d came of %d, %d are declared missing; %+v", refused, len(f.came), seq-1, len(f.gone), s.Stats())
		}
	})
}

// What comes when nobody writes any more is refused: nobody is told that it is kept.
func TestNothingIsTakenBehindTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		for _, refuse := range []bool{false, true} {
			s := begin(t, Config{FS: disktest.New(12), Refuse: refuse})
			l.produce(s.Spool, Key{7, 1}, 1, 80)
			s.end()
			h, b := bodyOf(Key{7, 1}, 2, 1, 80)
			if _, err := s.Append(Description{Name: nameOf(1), Class: wire.Event}, h, b); !errors.Is(err, ErrEnded) {
				t.Errorf("refuse: %v: %v, want %v", refuse, err, ErrEnded)
			}
			s.mu.Lock()
			if s.held > 0 {
				t.Errorf("refuse: %v: %d bytes wait for nobody", refuse, s.held)
			}
			s.mu.Unlock()
		}
	})
}
