package spool

import (
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/disk/disktest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// behind is what comes of a stream behind a place: its gaps, and its batches as {epoch, first, last} without a reason.
func behind(t *testing.T, s *Spool, name string, at Place, since time.Duration) (all []wire.Gap) {
	t.Helper()
	r := s.Read(Query{Streams: map[string]Place{name: at}, Since: since})
	defer r.Close()
	for {
		item, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		case item.Gap.From != 0:
			all = append(all, item.Gap)
		default:
			h := item.Header
			all = append(all, wire.Gap{Stream: h.Stream, Epoch: h.Epoch, From: h.Seq + uint64(item.Skip), To: h.Last()})
		}
	}
}

func wantBehind(t *testing.T, s *Spool, at Place, want ...wire.Gap) {
	t.Helper()
	if got := behind(t, s, nameOf(1), at, 0); !slices.Equal(got, want) {
		t.Errorf("behind %v comes %v, want %v", at, got, want)
	}
}

// A quiet stream's samples go, and the segment with the orderly end of their run stays. Who had not all of them is told, who had is not.
func TestWhatWentOfARunThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(21), newLedger()
		s := begin(t, Config{FS: disk, Bytes: 1 << 20})
		for range 500 {
			l.produce(s.Spool, Key{7, 1}, 1, 8)
		}
		for range 3000 { // of another, until there is room for nothing else
			l.produce(s.Spool, Key{7, 2}, 1, 1000)
			time.Sleep(time.Millisecond)
		}
		if s.end(); s.Stats().Removed == 0 {
			t.Fatal("nothing went")
		}
		s = begin(t, Config{FS: disk, Bytes: 1 << 20})
		defer s.end()
		gone := wire.Gap{Stream: 1, Epoch: 7, From: 101, To: 500, Reason: wire.GapSpool}
		wantBehind(t, s.Spool, Place{7, 100}, gone)
		wantBehind(t, s.Spool, Place{7, 500})
		wantBehind(t, s.Spool, Place{})
		l.produce(s.Spool, Key{8, 1}, 1, 8)
		time.Sleep(time.Second)
		came := wire.Gap{Stream: 1, Epoch: 8, From: 1, To: 1}
		wantBehind(t, s.Spool, Place{7, 100}, gone, came)
		wantBehind(t, s.Spool, Place{7, 500}, came)
		wantBehind(t, s.Spool, Place{}, came)
		wantBehind(t, s.Spool, Place{6, 3}, wire.Gap{Stream: 1, Epoch: 6, From: 4, Reason: wire.GapRestart}, wire.Gap{Stream: 1, Epoch: 7, From: 1, To: 500, Reason: wire.GapSpool}, came)
		time.Sleep(time.Hour)
		l.produce(s.Spool, Key{8, 1}, 1, 8)
		time.Sleep(time.Second)
		gone.To = 500
		if got := behind(t, s.Spool, nameOf(1), Place{7, 100}, time.Minute); len(got) == 0 || got[0] != gone {
			t.Errorf("of the last minute comes %v, want %v first", got, gone)
		}
	})
}

// What was refused last is behind the last batch that was kept: it is declared, and no gap is told for it twice.
func TestTheEndOfAStreamThatWasRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(22), newLedger()
		s := begin(t, Config{FS: disk, Memory: 1 << 10})
		disk.FailWith(func(string) error { return errBroken }) // else there is room again for some of them, now and then
		for range 20 {
			l.produce(s.Spool, Key{7, 1}, 1, 80)
		}
		disk.Heal()
		s.end()
		s = begin(t, Config{FS: disk})
		defer s.end()
		l.produce(s.Spool, Key{8, 1}, 1, 80)
		time.Sleep(time.Second)
		wantBehind(t, s.Spool, Place{7, 20}, wire.Gap{Stream: 1, Epoch: 8, From: 1, To: 1})
		got := behind(t, s.Spool, nameOf(1), Place{7, 1}, 0)
		if n := len(got); n < 3 || got[n-2].To != 20 || got[n-2].Reason != wire.GapSpool {
			t.Errorf("behind the first comes %v, want a gap up to the 20th and the next run", got)
		}
	})
}

// An end from before there were finals: if something of the stream is left the last of it was the last; else nobody knows.
func TestAnEndWithoutFinals(t *testing.T) {
	for stream, want := range map[uint32][]wire.Gap{
		1: {{Stream: 1, Epoch: 7, From: 3, To: 3}, {Stream: 1, Epoch: 8, From: 1, To: 1}},
		2: {{Stream: 1, Epoch: 7, From: 3, Reason: wire.GapRestart}, {Stream: 1, Epoch: 8, From: 1, To: 1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			disk, l := disktest.New(23), newLedger()
			d := &Description{Name: nameOf(stream), Class: wire.Event}
			_, body := bodyOf(Key{7, stream}, 1, 3, 24)
			b := appendStream([]byte(head), Key{7, stream}, d)
			b = appendEnd(appendBatch(b, uint64(time.Now().UnixMicro()), body), 7)
			f, err := disk.Create(ids{3, 3}.file())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(b); err != nil {
				t.Fatal(err)
			}
			s := begin(t, Config{FS: disk})
			defer s.end()
			l.produce(s.Spool, Key{8, 1}, 1, 80)
			time.Sleep(time.Second)
			wantBehind(t, s.Spool, Place{7, 2}, want...)
		})
	}
}

// TestEnds: who has got to the end of a run that said so is told, and nobody else.
func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, l := disktest.New(24), newLedger()
		s := begin(t, Config{FS: disk})
		for range 3 {
			l.produce(s.Spool, Key{7, 1}, 1, 80)
		}
		s.end()
		s = begin(t, Config{FS: disk})
		defer s.end()
		ends := func(at Place) Place {
			r := s.Read(Query{Streams: map[string]Place{nameOf(1): at}})
			defer r.Close()
			count(t, r)
			return r.Ends()[nameOf(1)]
		}
		for _, at := range []Place{{7, 3}, {7, 1}, {}} {
			if got := ends(at); got != (Place{7, 3}) {
				t.Errorf("from %v the end is %v", at, got)
			}
		}
		if got := ends(Place{6, 9}); got != (Place{7, 3}) {
			t.Errorf("from a run of which nothing is kept the end is %v", got)
		}
		l.produce(s.Spool, Key{8, 1}, 1, 80)
		time.Sleep(time.Second)
		if got := ends(Place{7, 3}); got != (Place{}) {
			t.Errorf("the run that goes on has ended: %v", got)
		}
	})
}
