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

// slowDisk takes its time for each Sync of a file.
type slowDisk struct {
	*disktest.Memory
	long time.Duration
}

func (d slowDisk) Create(name string) (disk.File, error) {
	f, err := d.Memory.Create(name)
	return slowFile{f, d.long}, err
}

type slowFile struct {
	disk.File
	long time.Duration
}

func (f slowFile) Sync() error {
	time.Sleep(f.long)
	return f.File.Sync()
}

// While a disk takes its time for what came before, nothing more gets into the log. A reader knows that it is not all there, and when it is.
func TestASlowDiskIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const long = 5 * time.Second
		l := newLedger()
		s := begin(t, Config{FS: slowDisk{disktest.New(12), long}})
		defer s.end()
		l.produce(s.Spool, Key{7, 1}, 1, 80)
		time.Sleep(defaultSync + time.Second) // it is being synced
		l.produce(s.Spool, Key{7, 1}, 1, 80)
		r := s.Read(Query{Streams: map[string]Place{nameOf(1): {}}})
		defer r.Close()
		n, began := count(t, r), time.Now()
		if n != 1 || r.Settled() {
			t.Errorf("%d batches are there at first, settled: %v", n, r.Settled())
		}
		for !r.Settled() {
			time.Sleep(20 * time.Millisecond)
		}
		if took := time.Since(began); took < time.Second || took > long {
			t.Errorf("settled after %v", took)
		}
		if n += count(t, r); n != 2 {
			t.Errorf("%d batches are there, want 2", n)
		}
	})
}

// Of a disk that fails nobody knows when it will take something.
func TestADiskThatFailsIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs, l := disktest.New(13), newLedger()
		s := begin(t, Config{FS: fs})
		defer s.end()
		settles := func(when string, want bool) {
			t.Helper()
			l.produce(s.Spool, Key{7, 1}, 1, 80)
			r := s.Read(Query{Streams: map[string]Place{nameOf(1): {}}})
			defer r.Close()
			if r.Settled() {
				t.Errorf("%s: what was just made is written", when)
			}
			if time.Sleep(defaultFlush + defaultSync + time.Second); !r.Settled() {
				t.Errorf("%s: it does not settle", when)
			}
			if all := count(t, r) > 0; all != want {
				t.Errorf("%s: there is something to read: %v", when, all)
			}
		}
		fs.FailWith(func(string) error { return errBroken })
		settles("at first", false)
		fs.Heal()
		time.Sleep(time.Minute)
		settles("when it works again", true)
	})
}

// Of a large log little may be wanted, or nothing: whoever reads it is told now and then that it goes on, and misses nothing.
func TestLookingTakesNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const batches, size = 1000, 12 << 10
		l := newLedger()
		s := begin(t, Config{FS: disktest.New(14), Memory: 64 << 20})
		defer s.end()
		l.produce(s.Spool, Key{7, 2}, 1, 80)
		for range batches {
			l.produce(s.Spool, Key{7, 1}, 1, size)
		}
		l.produce(s.Spool, Key{7, 2}, 1, 80)
		time.Sleep(time.Minute)
		r := s.Read(Query{Streams: map[string]Place{nameOf(2): {}}})
		defer r.Close()
		found, pauses := 0, 0
		for {
			_, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if errors.Is(err, ErrNotYet) {
				pauses++
			} else if found++; err != nil {
				t.Fatal(err)
			}
		}
		if want := batches * size / notYet; found != 2 || pauses != want {
			t.Errorf("%d batches were found, with %d pauses, want 2 and %d", found, pauses, want)
		}
	})
}

// count reads to the end of what is there.
func count(t *testing.T, r *Reader) (n int) {
	t.Helper()
	for {
		_, err := r.Next()
		if err != nil {
			return n
		}
		n++
	}
}
