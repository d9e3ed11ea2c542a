package spool

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/disk/disktest"
)

// counting counts what is read of a folder.
type counting struct {
	disk.FS
	bytes int
}

type countingFile struct {
	disk.ReadFile
	fs *counting
}

func (c *counting) Open(name string) (disk.ReadFile, error) {
	f, err := c.FS.Open(name)
	return countingFile{f, c}, err
}

func (f countingFile) ReadAt(b []byte, at int64) (int, error) {
	n, err := f.ReadFile.ReadAt(b, at)
	f.fs.bytes += n
	return n, err
}

// A start reads footers, and of what was cut off the one segment that was written.
func TestAStartReadsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(1), newLedger()
		s := begin(t, Config{FS: disk, Bytes: 8 << 20})
		for range 16_000 {
			l.produce(s.Spool, Key{7, 1}, 1, 1000)
			time.Sleep(time.Millisecond)
		}
		bytes, segment := s.Stats().Bytes, s.segment
		disk = disk.Cut()
		s.end()
		count := &counting{FS: disk}
		if _, err := Open(Config{FS: count, Bytes: 8 << 20}); err != nil {
			t.Fatal(err)
		}
		if most := int(segment) + 64<<10; count.bytes > most || bytes < 7<<20 {
			t.Errorf("of %d bytes %d were read, want at most %d", bytes, count.bytes, most)
		}
	})
}

// A board that is switched off each time leaves a segment without footer in each of its runs. Each is read through once, by the next run.
func TestWhatWasCutOffIsReadThroughOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(3), newLedger()
		for epoch := uint32(1); epoch <= 20; epoch++ {
			s := begin(t, Config{FS: disk, Bytes: 8 << 20})
			for range 100 {
				l.produce(s.Spool, Key{epoch, 1}, 1, 1000)
			}
			time.Sleep(2 * time.Second)
			disk = disk.Cut()
			s.end()
		}
		count := &counting{FS: disk}
		s := begin(t, Config{FS: count, Bytes: 8 << 20})
		defer s.end()
		if count.bytes > 200<<10 {
			t.Errorf("%d bytes of %d were read, and one run was cut off since the start before", count.bytes, s.Stats().Bytes)
		}
		l.check(t, readAll(t, s.Spool, l), taken)
		time.Sleep(time.Second)
		if used := s.Stats().Bytes; used != int64(disk.Used()) {
			t.Errorf("%d bytes are counted of %d", used, disk.Used())
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	s := begin(b, Config{FS: disk.OS{Dir: b.TempDir()}, Memory: 64 << 20})
	defer s.end()
	h, body := bodyOf(Key{7, 1}, 1, 1, 100)
	d := Description{Name: "stream 1", Class: h.Class}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Append(d, h, body); err != nil {
			time.Sleep(time.Millisecond)
		}
	}
}
