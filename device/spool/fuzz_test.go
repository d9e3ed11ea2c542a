package spool

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/telepath-iot/telepath/device/disk/disktest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// sample is a segment as it is written, with one record of each kind.
func sample() []byte {
	h, body := bodyOf(Key{7, 1}, 1, 3, 24)
	d := &Description{Name: "stream 1", Class: wire.Event, Meta: `{"kind":"bytes"}`}
	var c contents
	b := appendStream([]byte(head), Key{7, 1}, d)
	c.describe(Key{7, 1}, d)
	b = appendBatch(b, 1_000_000, body)
	c.add(Key{7, 1}, 1_000_000, h.Seq, h.Last())
	b = appendGap(b, wire.Gap{Stream: 1, Epoch: 7, From: 4, To: 6, Reason: wire.GapSpool})
	b = appendFinal(b, final{Key: Key{7, 1}, seq: 6})
	c.finish(Key{7, 1}, 6)
	b = appendEnd(b, 7)
	c.ended, c.end = []uint32{7}, int64(len(b))
	return appendFooter(b, &c, c.end)
}

// Any bytes are a segment or none: nothing panics, and what a footer says is what reading through says.
func FuzzSegment(f *testing.F) {
	whole := sample()
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[:60])
	f.Add([]byte(head))
	f.Fuzz(func(t *testing.T, b []byte) {
		file := disktest.File(b)
		footer, err := loadFooter(file, int64(len(b)))
		if err == nil && (footer.end > int64(len(b)) || footer.end < 0) {
			t.Fatalf("a footer says that the records end at %d of %d bytes", footer.end, len(b))
		}
		c, err := scan(file, int64(len(b)))
		if err != nil {
			t.Fatalf("a disk that reads has an error: %v", err)
		}
		if c.end > max(int64(len(b)), int64(len(head))) {
			t.Fatalf("the records end at %d of %d bytes", c.end, len(b))
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(sample()[len(head):])
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, body, size, err := nextRecord(b, maxRecord)
		if err != nil {
			return
		}
		again := endRecord(append(beginRecord(nil, kind), body...), 0)
		if !bytes.Equal(again, b[:size]) {
			t.Fatalf("%x is written %x", b[:size], again)
		}
		checkContents(t, kind, body)
	})
}

// checkContents says that what is read is written again with the same meaning.
func checkContents(t *testing.T, kind byte, body []byte) {
	switch kind {
	case kindStream:
		k, d, err := parseStream(body)
		if err != nil {
			return
		}
		_, again, _, _ := nextRecord(appendStream(nil, k, &d), maxRecord)
		if k2, d2, err := parseStream(again); err != nil || k2 != k || d2 != d {
			t.Fatalf("%v %+v becomes %v %+v, %v", k, d, k2, d2, err)
		}
	case kindFinal:
		e, err := parseFinal(body)
		if err != nil {
			return
		}
		_, again, _, _ := nextRecord(appendFinal(nil, e), maxRecord)
		if e2, err := parseFinal(again); err != nil || e2 != e {
			t.Fatalf("%+v becomes %+v, %v", e, e2, err)
		}
	case kindBatch:
		b, err := parseBatch(body)
		if err != nil {
			return
		}
		_, again, _, _ := nextRecord(appendBatch(nil, b.at, b.data), maxRecord)
		if b2, err := parseBatch(again); err != nil || !reflect.DeepEqual(b, b2) {
			t.Fatalf("%+v becomes %+v, %v", b, b2, err)
		}
	}
}

func FuzzFooter(f *testing.F) {
	b := sample()
	at, _ := parseTrailer(b[len(b)-trailerSize:], int64(len(b)))
	f.Add(b[at+recordHead+1 : len(b)-trailerSize])
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := parseFooter(body)
		if err != nil {
			return
		}
		_, again, _, err := nextRecord(appendFooter(nil, &c, 0), 2*maxFooter)
		if err != nil {
			t.Fatal(err)
		}
		if c2, err := parseFooter(again); err != nil || !reflect.DeepEqual(c, c2) {
			t.Fatalf("%+v becomes %+v, %v", c, c2, err)
		}
	})
}

// A footer says what reading through the segment says.
func TestFooterIsWhatScanFinds(t *testing.T) {
	b := sample()
	file := disktest.File(b)
	footer, err := loadFooter(file, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	scanned, err := scan(file, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	scanned.index = nil
	if !reflect.DeepEqual(footer, scanned) {
		t.Errorf("footer %+v, scanned %+v", footer, scanned)
	}
}
