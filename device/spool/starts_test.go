package spool

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/disk/disktest"
)

var errKilled = errors.New("killed")

// starts are many runs of a program with the same folder.
type starts struct {
	disk   *disktest.Memory
	ledger *ledger
	cfg    Config
	epoch  uint32
	files  int // the most there were
}

func newStarts(cfg Config) *starts {
	memory := disktest.New(31)
	cfg.FS, cfg.wall = memory, right
	return &starts{disk: memory, ledger: newLedger(), cfg: cfg}
}

// run makes some batches of the stream, and lasts so long.
func (st *starts) run(t *testing.T, stream uint32, batches int, lasts time.Duration) *life {
	t.Helper()
	st.epoch++
	s := begin(t, st.cfg)
	for range batches {
		st.ledger.produce(s.Spool, Key{st.epoch, stream}, 1, 100)
	}
	time.Sleep(lasts)
	st.files = max(st.files, s.Stats().Segments)
	return s
}

// kill ends a run as kill -9 does: what was written stays, and nothing is written any more.
func (st *starts) kill(s *life) {
	st.disk.FailWith(func(string) error { return errKilled })
	s.end()
	st.disk.Heal()
}

// refused is how many batches of a stream were.
func (st *starts) refused(stream uint32) (n int) {
	for _, m := range st.ledger.streams[nameOf(stream)] {
		if m.ticket == 0 {
			n++
		}
	}
	return n
}

// A program that is started once a minute, for one durable batch, is refused none for the number of its runs.
func TestManyRunsOfADurableStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStarts(Config{Bytes: 64 << 20, Refuse: true})
		for range 700 {
			st.run(t, 1, 1, 55*time.Second).end()
			time.Sleep(5 * time.Second)
		}
		if n := st.refused(1); n > 0 {
			t.Errorf("%d of 700 were refused, with %d bytes used", n, st.disk.Used())
		}
		s := st.run(t, 1, 1, time.Second)
		defer s.end()
		st.complete(t, s)
		time.Sleep(28 * time.Hour) // an eighth more than a day, and the next look
		if n := s.Stats().Segments; n > 1 {
			t.Errorf("%d files when all but the newest is too old", n)
		}
	})
}

// complete says that everything is there, and few files.
func (st *starts) complete(t *testing.T, s *life) {
	t.Helper()
	all := readAll(t, s.Spool, st.ledger)
	st.ledger.check(t, all, taken)
	for name, f := range all {
		if len(f.gone) > 0 {
			t.Errorf("%s: %d are declared missing", name, len(f.gone))
		}
	}
	if st.files > 200 {
		t.Errorf("there were %d files", st.files)
	}
}

// Many short runs cost a full spool no more of what is old than the room that they need themselves.
func TestManyRunsBesideAFullSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStarts(Config{Bytes: 4 << 20})
		for range 16 { // of 300 kB
			st.run(t, 1, 2200, 2*time.Second).end()
		}
		old, used := st.oldest(t), st.disk.Used()
		for range 520 {
			st.run(t, 1, 1, 55*time.Second).end()
			time.Sleep(5 * time.Second)
		}
		lost := (st.oldest(t) - old) * 130 // bytes, about
		t.Logf("%d bytes of %d had to go", lost, used)
		if most := 520*300 + 3*128<<10; lost > most {
			t.Errorf("of %d bytes %d had to go for 520 batches", used, lost)
		}
		if used := st.disk.Used(); used > 4<<20+64<<10 {
			t.Errorf("%d bytes are used", used)
		}
	})
}

// oldest is how many samples, of all that were made, are gone.
func (st *starts) oldest(t *testing.T) int {
	t.Helper()
	made := len(st.ledger.streams[nameOf(1)])
	s := st.run(t, 1, 0, time.Second)
	defer s.end()
	return made - len(readAll(t, s.Spool, st.ledger)[nameOf(1)].came)
}

// A program that dies whenever it has run for 5 s.
func TestACrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStarts(Config{Bytes: 64 << 20})
		for range 3000 {
			st.kill(st.run(t, 1, 5, 5*time.Second))
		}
		count := &counting{FS: st.disk}
		st.cfg.FS = count
		s := st.run(t, 1, 1, time.Second)
		defer s.end()
		if count.bytes > 1<<20 {
			t.Errorf("a start read %d bytes", count.bytes)
		}
		t.Logf("%d files, %d bytes; a start read %d of them", st.files, st.disk.Used(), count.bytes)
		st.complete(t, s)
	})
}
