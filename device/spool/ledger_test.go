package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

// ledger is what a producer knows of its batches, to hold the spool to.
type ledger struct {
	streams map[string][]made
}

type made struct {
	key         Key
	first, last uint64
	ticket      uint64 // 0: refused
}

func newLedger() *ledger { return &ledger{streams: map[string][]made{}} }

// body of the batch: its payload can be told from any other's.
func bodyOf(k Key, first uint64, count, size int) (wire.Header, []byte) {
	h := wire.Header{Class: wire.Event, Stream: k.Stream, Epoch: k.Epoch, Seq: first, Count: count}
	b := wire.AppendHeader(nil, h)
	for range max(size/8, 1) {
		b = binary.BigEndian.AppendUint64(b, first*1_000_003^uint64(k.Epoch))
	}
	return h, b
}

func nameOf(stream uint32) string { return fmt.Sprint("stream ", stream) }

// produce appends the next batch of a stream.
func (l *ledger) produce(s *Spool, k Key, count, size int) {
	name := nameOf(k.Stream)
	first := uint64(1)
	if all := l.streams[name]; len(all) > 0 && all[len(all)-1].key == k {
		first = all[len(all)-1].last + 1
	}
	h, b := bodyOf(k, first, count, size)
	ticket, err := s.Append(Description{Name: name, Class: wire.Event, Meta: `{"kind":"bytes"}`}, h, b)
	if err != nil {
		ticket = 0
	}
	l.streams[name] = append(l.streams[name], made{k, h.Seq, h.Last(), ticket})
}

// found is what reading a stream yields: which samples came, which were
// declared missing, and the epochs whose end nobody knows.
type found struct {
	came, gone map[Place]bool
	open       map[uint32]bool
}

// readAll reads every stream of the ledger, and sees to it that nothing comes
// twice, out of order, or other than it was made.
func readAll(t *testing.T, s *Spool, l *ledger) map[string]*found {
	t.Helper()
	all := map[string]*found{}
	query := Query{Streams: map[string]Place{}}
	for name := range l.streams {
		query.Streams[name] = Place{}
		all[name] = &found{map[Place]bool{}, map[Place]bool{}, map[uint32]bool{}}
	}
	last := map[string]Place{}
	r := s.Read(query)
	defer r.Close()
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		f, was := all[item.Name], last[item.Name]
		epoch, from, to, into := item.Header.Epoch, item.Header.Seq+uint64(item.Skip), item.Header.Last(), f.came
		if g := item.Gap; g.From != 0 {
			epoch, from, to, into = g.Epoch, g.From, g.To, f.gone
			if g.To == 0 {
				f.open[g.Epoch] = true
				continue
			}
		} else if _, want := bodyOf(Key{epoch, item.Header.Stream}, item.Header.Seq, item.Header.Count, len(item.Body)-headerLength(item)); string(want) != string(item.Body) {
			t.Fatalf("%s %08x:%d is not what it was made of", item.Name, epoch, from)
		}
		if was.Epoch == epoch && from != was.Seq+1 || was.Epoch != epoch && was.Epoch != 0 && from != 1 {
			t.Fatalf("%s: %08x:%d follows %08x:%d", item.Name, epoch, from, was.Epoch, was.Seq)
		}
		if from > to {
			t.Fatalf("%s: %+v yields nothing new", item.Name, item)
		}
		last[item.Name] = Place{epoch, to}
		for seq := from; seq <= to; seq++ {
			into[Place{epoch, seq}] = true
		}
	}
}

func headerLength(item Item) int {
	return len(wire.AppendHeader(nil, item.Header))
}

// check holds what was found against the ledger. durable: the ticket up to
// which nothing may be missing, of epoch; of the earlier ones everything that kept has.
func (l *ledger) check(t *testing.T, all map[string]*found, must func(made) bool) {
	t.Helper()
	for name, batches := range l.streams {
		f := all[name]
		known := map[Place]bool{}
		for _, m := range batches {
			for seq := m.first; seq <= m.last; seq++ {
				p := Place{m.key.Epoch, seq}
				known[p] = true
				if must(m) && !f.came[p] {
					t.Errorf("%s %08x:%d (ticket %d) is missing; declared: %v", name, p.Epoch, p.Seq, m.ticket, f.gone[p])
				}
				if m.ticket == 0 && f.came[p] {
					t.Errorf("%s %08x:%d was refused, and is there", name, p.Epoch, p.Seq)
				}
			}
		}
		for p := range f.came {
			if !known[p] {
				t.Errorf("%s %08x:%d was never made", name, p.Epoch, p.Seq)
			}
		}
		for p := range f.gone {
			if !known[p] {
				t.Errorf("%s %08x:%d is declared missing, and was never made", name, p.Epoch, p.Seq)
			}
		}
	}
}
