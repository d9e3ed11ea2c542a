package spool

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/disk/disktest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// small makes runs of a few batches each, which are not merged.
func small(t *testing.T, runs int) *starts {
	t.Helper()
	st := newStarts(Config{Bytes: 8 << 20})
	for n := range runs {
		s := st.run(t, 1, 3, 2*time.Second)
		if n%3 == 0 {
			st.kill(s)
		} else {
			s.end()
		}
	}
	st.cfg.many = 4
	return st
}

// The program is killed, or the power is cut, at each operation of a merge: nothing is lost, nothing comes twice, and the next
// runs find and leave no file too many.
func TestAMergeIsCutOff(t *testing.T) {
	for _, cut := range []bool{false, true} {
		for at := 1; at <= 60; at++ {
			t.Run(fmt.Sprintf("power %v/%d", cut, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { mergeIsCutOff(t, at, cut) })
			})
		}
	}
}

func mergeIsCutOff(t *testing.T, at int, cut bool) {
	st, count := small(t, 10), 0
	folder := &forgetful{Memory: st.disk, removed: map[string][]byte{}}
	st.cfg.FS = folder
	before := st.ledger.streams[nameOf(1)]
	st.disk.FailWith(func(string) error {
		if count++; count >= at {
			return errKilled
		}
		return nil
	})
	s := st.run(t, 1, 1, 50*time.Millisecond) // not written yet
	time.Sleep(100 * time.Millisecond)
	if cut {
		st.disk = folder.cut(t)
		s.end()
	} else {
		st.kill(s)
	}
	st.cfg.FS = st.disk
	st.ledger.streams[nameOf(1)] = before
	for range 2 {
		s := begin(t, st.cfg)
		all := readAll(t, s.Spool, st.ledger)[nameOf(1)]
		for _, m := range before {
			if !all.came[Place{m.key.Epoch, m.first}] {
				t.Errorf("%v is missing", m)
			}
		}
		if len(all.gone) > 0 {
			t.Errorf("%v are declared missing", all.gone)
		}
		time.Sleep(time.Second)
		if used := s.Stats().Bytes; used != int64(st.disk.Used()) {
			t.Errorf("%d bytes are counted of %d", used, st.disk.Used())
		}
		l := &starts{disk: st.disk, ledger: newLedger(), cfg: st.cfg, epoch: 99}
		s.end()
		l.run(t, 2, 1, time.Second).end() // which merges
	}
	if n := len(mustList(t, st.disk)); n > 5 {
		t.Errorf("%d files", n)
	}
}

func mustList(t *testing.T, fs disk.FS) []disk.Entry {
	t.Helper()
	entries, err := fs.List()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// misreads is a folder of which every nth read fails.
type misreads struct {
	disk.FS
	n, count atomic.Int64
}

type misreadFile struct {
	disk.ReadFile
	fs *misreads
}

func (m *misreads) Open(name string) (disk.ReadFile, error) {
	f, err := m.FS.Open(name)
	return misreadFile{f, m}, err
}

func (f misreadFile) ReadAt(b []byte, at int64) (int, error) {
	if count, n := f.fs.count.Add(1), f.fs.n.Load(); n > 0 && count%n == 0 {
		return 0, errBroken
	}
	return f.ReadFile.ReadAt(b, at)
}

// A disk that does not read back what it has leaves it as it is.
func TestAMergeThatCannotRead(t *testing.T) {
	for n := range int64(12) {
		synctest.Test(t, func(t *testing.T) {
			st := small(t, 10)
			bad := &misreads{FS: st.disk}
			st.cfg.FS = bad
			s := begin(t, st.cfg)
			bad.n.Store(1 + n)
			for range 3 {
				st.ledger.produce(s.Spool, Key{99, 1}, 1, 8)
				time.Sleep(4 * time.Hour)
			}
			bad.n.Store(0)
			st.ledger.check(t, readAll(t, s.Spool, st.ledger), taken)
			s.end()
			s = begin(t, st.cfg)
			st.ledger.check(t, readAll(t, s.Spool, st.ledger), taken)
			s.end()
		})
	}
}

// A segment of which the middle cannot be read, and a file of another version, stay what and where they are.
func TestWhatIsSpoiltIsNotMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := small(t, 12)
		f, err := st.disk.Create(ids{100, 100}.file())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("telespl9, which is of a version that is to come")); err != nil {
			t.Fatal(err)
		}
		flipped := &flips{FS: st.disk, name: ids{5, 5}.file(), at: 60}
		st.cfg.FS = flipped
		for range 12 { // what cannot be read is found by the way, and ends that try
			st.run(t, 2, 1, time.Minute).end()
		}
		there := map[string]bool{}
		for _, e := range mustList(t, st.disk) {
			there[e.Name] = true
		}
		if !there[ids{100, 100}.file()] || !there[flipped.name] || len(there) > 9 {
			t.Errorf("there are %v", there)
		}
	})
}

// flips is a folder with a file of which a byte is not what was written.
type flips struct {
	disk.FS
	name string
	at   int64
}

type flipped struct {
	disk.ReadFile
	at int64
}

func (f *flips) Open(name string) (disk.ReadFile, error) {
	file, err := f.FS.Open(name)
	if err == nil && name == f.name {
		return flipped{file, f.at}, nil
	}
	return file, err
}

func (f flipped) ReadAt(b []byte, at int64) (int, error) {
	n, err := f.ReadFile.ReadAt(b, at)
	if i := f.at - at; i >= 0 && i < int64(n) {
		b[i] ^= 1
	}
	return n, err
}

// A reader is under way while what it reads, has read and will read is merged, also what it began to read before this run had
// anything: each sample comes once.
func TestReadingWhatIsMerged(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			st, off, r := small(t, 10), time.Duration(0), rand.New(rand.NewPCG(seed, 8))
			st.cfg.wall = func() time.Time { return right().Add(off) }
			s := begin(t, st.cfg)
			defer s.end()
			reader := s.Read(Query{Streams: map[string]Place{nameOf(1): {}}})
			defer reader.Close()
			at, came, merged := Place{}, 0, false
			read := func(n int) {
				for ; n > 0; n-- {
					item, err := reader.Next()
					if errors.Is(err, io.EOF) {
						return
					}
					if err != nil || item.Gap.To > 0 {
						t.Fatal(item, err)
					}
					if item.Gap.From > 0 { // a run was killed
						continue
					}
					h := item.Header
					if want := uint64(1); item.Skip > 0 || h.Epoch < at.Epoch || h.Epoch == at.Epoch && h.Seq != at.Seq+1 || h.Epoch > at.Epoch && h.Seq != want {
						t.Fatalf("%+v comes behind %v", h, at)
					}
					at = Place{h.Epoch, h.Seq}
					came++
				}
			}
			for range 60 { // each in a segment of its own
				off ^= time.Minute
				st.ledger.produce(s.Spool, Key{99, 1}, 1, 8)
				time.Sleep(200 * time.Millisecond)
				read(r.IntN(4))
				merged = merged || hasMerged(s.Spool)
			}
			read(1000)
			if want := len(st.ledger.streams[nameOf(1)]); came != want || !merged {
				t.Errorf("%d came of %d; merged: %v", came, want, merged)
			}
		})
	}
}

// hasMerged reports whether there is a segment that was merged.
func hasMerged(s *Spool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.segments, func(seg *segment) bool { return seg.merged() })
}

// What is merged says when it was made: it comes to who asks for the last minutes, and goes when it is too old.
func TestHowOldIsWhatWasMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, off := range steps() {
			b := &board{newLedger(), disktest.New(1), off}
			wrong := off
			for epoch := uint32(1); epoch <= 12; epoch++ { // it begins with the wrong time, and is told the right one
				b.off = wrong
				s := begin(t, Config{FS: b.disk, Age: 24 * time.Hour, many: 4, wall: func() time.Time { return right().Add(b.off) }})
				b.make(s, epoch, 20)
				b.off = 0
				b.make(s, epoch, 20)
				if n, want := b.count(t, s, 0), 40*int(epoch); n != want {
					t.Errorf("%s, run %d: %d samples of %d", name, epoch, n, want)
				}
				if n := b.count(t, s, 30*time.Second); n < 29 {
					t.Errorf("%s, run %d: %d samples of the last 30 s", name, epoch, n)
				}
				s.end()
				time.Sleep(time.Hour)
			}
			s := b.begin(t)
			if n := s.Stats().Segments; n > 12 {
				t.Errorf("%s: %d files", name, n)
			}
			time.Sleep(28 * time.Hour)
			if n := s.Stats().Segments; n > 0 {
				t.Errorf("%s: %d files when all is too old", name, n)
			}
			s.end()
		}
	})
}

func TestNamesOfSegments(t *testing.T) {
	for name, want := range map[string]ids{
		"000000000000001f.seg":                  {31, 31},
		"000000000000001f-0000000000000020.seg": {31, 32},
		"000000000000001f-000000000000001f.seg": {},
		"0000000000000020-000000000000001f.seg": {},
		"000000000000001f-.seg":                 {},
		"000000000000001F.seg":                  {},
		"1f.seg":                                {},
		"000000000000001f":                      {},
	} {
		if got, ok := parseName(name); ok != (want != ids{}) || ok && got != want {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
}

// What was merged still tells what of a run that ended is gone.
func TestTheEndIsMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStarts(Config{many: 3})
		for range 40 {
			st.run(t, 1, 3, time.Second).end()
		}
		s := st.run(t, 2, 1, time.Second)
		defer s.end()
		wantBehind(t, s.Spool, Place{40, 3})
		got := behind(t, s.Spool, nameOf(1), Place{20, 3}, 0)
		if len(got) != 60 || got[0] != (wire.Gap{Stream: 1, Epoch: 21, From: 1, To: 1}) {
			t.Errorf("behind the run 20 come %d, first %v", len(got), got[:min(len(got), 3)])
		}
	})
}

// forgetful is a folder in which what was removed may be there again after a power cut, unless the folder was synced since.
type forgetful struct {
	*disktest.Memory
	mu      sync.Mutex
	removed map[string][]byte // guarded by mu
}

func (f *forgetful) Remove(name string) error {
	file, err := f.Memory.Open(name)
	if err == nil {
		data := make([]byte, 1<<20)
		n, _ := file.ReadAt(data, 0) // the end
		data = data[:n]
		if err := f.Memory.Remove(name); err != nil {
			return err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.removed[name] = data
	}
	return err
}

func (f *forgetful) Sync() error {
	err := f.Memory.Sync()
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		clear(f.removed)
	}
	return err
}

func (f *forgetful) cut(t *testing.T) *disktest.Memory {
	t.Helper()
	after := f.Memory.Cut()
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, data := range f.removed {
		if after.Rand.IntN(2) == 0 {
			continue
		}
		file, err := after.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Sync(), after.Sync()); err != nil {
			t.Fatal(err)
		}
	}
	return after
}

// What was merged, and not synced, does not count for the next run, although all of it can be read: the power may be cut yet.
func TestAMergeThatWasNotSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, syncs := small(t, 10), 0
		st.disk.FailWith(func(op string) error {
			if op == "sync" {
				syncs++
			}
			if op == "sync" && syncs != 2 || op == "remove" { // the second is of the new one, behind which others are merged
				return errBroken
			}
			return nil
		})
		st.kill(st.run(t, 1, 1, 150*time.Millisecond))
		if n := len(mustList(t, st.disk)); n != 12 {
			t.Fatalf("%d files, want the 10, the one that was merged and the new one", n)
		}
		st.cfg.many = manySegments
		s := st.run(t, 2, 1, time.Second)
		st.disk = st.disk.Cut()
		s.end()
		st.cfg.FS = st.disk
		s = begin(t, st.cfg)
		defer s.end()
		st.ledger.check(t, readAll(t, s.Spool, st.ledger), func(m made) bool { return m.key.Epoch <= 10 })
	})
}

// What a run has made is durable before small segments are merged: in a crash loop that may be all the time it has.
func TestTheNewRunIsWrittenFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, creates := small(t, 10), 0
		st.disk.FailWith(func(op string) error {
			if op == "create" {
				creates++
			}
			if creates > 1 { // of what is merged
				return errKilled
			}
			return nil
		})
		s := st.run(t, 1, 1, 200*time.Millisecond)
		st.disk = st.disk.Cut()
		s.end()
		if creates < 2 {
			t.Fatal("nothing was merged")
		}
		st.cfg.FS = st.disk
		s = begin(t, st.cfg)
		defer s.end()
		st.ledger.check(t, readAll(t, s.Spool, st.ledger), func(made) bool { return true })
	})
}

// A merge that failed leaves nothing behind, and is tried again with the next segment, a little later.
func TestAMergeIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, syncs := small(t, 10), 0
		st.disk.FailWith(func(op string) error {
			if op == "sync" {
				if syncs++; syncs == 3 { // the first is of what was cut off, the second of the new one
					return errBroken
				}
			}
			return nil
		})
		s := st.run(t, 1, 1, time.Second)
		defer s.end()
		if n := len(mustList(t, st.disk)); n != 11 {
			t.Fatalf("%d files, want the 10 and the new one", n)
		}
		time.Sleep(4 * time.Hour)
		for range 2 {
			st.ledger.produce(s.Spool, Key{st.epoch, 1}, 1, 8)
			time.Sleep(4 * time.Hour)
		}
		if n := len(mustList(t, st.disk)); n > 5 {
			t.Errorf("%d files", n)
		}
		st.ledger.check(t, readAll(t, s.Spool, st.ledger), taken)
	})
}

// meets is a folder in which something happens just before a file is opened.
type meets struct {
	disk.FS
	before func(name string)
}

func (m *meets) Open(name string) (disk.ReadFile, error) {
	m.before(name)
	return m.FS.Open(name)
}

// What a reader is about to open is merged just then.
func TestWhatIsToBeReadIsMerged(t *testing.T) {
	for next := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			st, armed := small(t, 10), false
			folder := &meets{FS: st.disk}
			var s *life
			folder.before = func(name string) {
				if armed && name == (ids{next, next}).file() {
					armed = false
					st.ledger.produce(s.Spool, Key{99, 1}, 1, 8)
					time.Sleep(time.Second)
				}
			}
			st.cfg.FS = folder
			s = begin(t, st.cfg)
			defer s.end()
			armed = true
			st.ledger.check(t, readAll(t, s.Spool, st.ledger), taken)
			if armed || !hasMerged(s.Spool) {
				t.Error("nothing was merged")
			}
		})
	}
}
