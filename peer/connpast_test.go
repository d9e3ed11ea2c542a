package peer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// pastConn is a Conn that wants the last minute of a device with a spool, whose Event streams begin behind a sample.
type pastConn struct {
	*Conn
	t      *testing.T
	log    log
	chunks uint64 // of the transfer
	of     uint32
}

func newPastConn(t *testing.T, after uint64) *pastConn {
	t.Helper()
	p := &pastConn{t: t}
	p.Conn = bareConn(t, p.log.events())
	p.cfg.Since = time.Minute
	p.streams, p.events = map[uint32]*subscription{}, nil // that were described as those of a device without a spool
	clear(p.past.begun)
	p.accepts(7, after)
	return p
}

// newIdleConn is one that has got what it wanted, and may ask again.
func newIdleConn(t *testing.T) *pastConn {
	t.Helper()
	p := newPastConn(t, 0)
	p.steps(0)
	p.chunk(p.done())
	time.Sleep(pastEvery)
	return p
}

// accepts has the device accept, in a run of its program that is perhaps another one, and describe its streams.
func (p *pastConn) accepts(epoch uint32, after uint64, streams ...signal.Stream) {
	p.t.Helper()
	p.asked = true
	p.hear(p.t, signal.Message{Type: signal.Accept, ID: p.id, Epoch: signal.FormatEpoch(epoch), History: true})
	m := description(epoch, after)
	m.Streams = append(m.Streams, signal.Stream{ID: 3, Name: "busy", Class: "event", Start: signal.FormatPosition(epoch, after)})
	if streams != nil {
		m.Streams = streams
	}
	p.hear(p.t, m)
}

// steps lets time pass, as the loop would see it.
func (p *pastConn) steps(d time.Duration) {
	for ; d >= 0; d -= time.Second {
		now := p.loop.now()
		p.settleBye(now)
		p.settleTails(now)
		p.askPast(now)
		if d > 0 {
			time.Sleep(time.Second)
		}
	}
}

// chunk brings frames of the transfer that was asked for last.
func (p *pastConn) chunk(frames ...[]byte) {
	p.t.Helper()
	if p.past.id == 0 {
		p.t.Fatal("nothing was asked for")
	}
	if p.of != p.past.id {
		p.of, p.chunks = p.past.id, 0
	}
	p.chunks++
	p.again(frames...)
}

// again brings the last chunk, as it came or as it may come once more.
func (p *pastConn) again(frames ...[]byte) {
	h := wire.Header{Class: wire.History, Stream: wire.HistoryStream, Epoch: p.of, Seq: p.chunks, Count: 1}
	body := append(wire.AppendHeader(nil, h), slices.Concat(frames...)...)
	p.handle(p.link.leg, wire.AppendFrame(nil, wire.TypeData, wire.Hop{Conn: viewNumber}, body))
}

func dataFrame(h wire.Header) []byte {
	return wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, append(wire.AppendHeader(nil, h), 1))
}

func (p *pastConn) done() []byte {
	return appendSignal(nil, signal.Message{Type: signal.History, Transfer: signal.FormatEpoch(p.past.id), Done: true})
}

func told(epoch uint32, streams ...signal.Stream) []byte {
	return appendSignal(nil, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(epoch), Streams: streams})
}

// ring is the device's word that a stream's ring has no more up to a sample.
func (p *pastConn) ring(stream uint32, from, to uint64) {
	g := wire.Gap{Stream: stream, Epoch: p.epoch, From: from, To: to, Reason: wire.GapRing}
	p.handle(p.link.leg, wire.AppendFrame(nil, wire.TypeGap, wire.Hop{Conn: viewNumber}, wire.AppendGap(nil, g)))
}

func busyAt(epoch uint32, seq uint64) wire.Header {
	return wire.Header{Class: wire.Event, Stream: 3, Epoch: epoch, Seq: seq, Count: 1}
}

// ofStream is what was told of a stream.
func (p *pastConn) ofStream(name string) (lines log) {
	for _, line := range p.log {
		if strings.HasPrefix(line, name+" ") || strings.HasPrefix(line, "gap "+name+" ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// What of the past came together is followed by one Chunk, so that who prints it need not do so sample by sample.
func TestAChunkOfThePastIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		var told []string
		p.cfg.Events.Batch = func(r Received) { told = append(told, fmt.Sprint(r.Header.Seq, r.Past)) }
		p.cfg.Events.Chunk = func() { told = append(told, "chunk") }
		p.take(liveAt(7, 4), wire.Hop{})
		p.chunk(dataFrame(liveAt(7, 1)), dataFrame(liveAt(7, 2)))
		p.chunk(dataFrame(liveAt(7, 3)), p.done())
		if want := []string{"4 false", "1 true", "2 true", "chunk", "3 true", "chunk"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// The device's program begins anew while its past is under way: what came live of the run before does not come again.
func TestARestartAmidAndNothingComesTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 5)
		p.steps(0)
		for seq := uint64(10); seq <= 11; seq++ {
			p.take(liveAt(7, seq), wire.Hop{})
		}
		p.take(eventAt(7, 6), wire.Hop{})
		p.chunk(dataFrame(liveAt(7, 1)), dataFrame(eventAt(7, 1)))
		p.log = nil
		p.accepts(8, 0)
		p.take(liveAt(8, 1), wire.Hop{})
		p.steps(2 * time.Second)
		then := told(7, signal.Stream{ID: 1, Name: "event", Class: "event"}, signal.Stream{ID: 2, Name: "live", Class: "live"})
		p.chunk(then, dataFrame(eventAt(7, 7)), p.done()) // the rest of the run before
		p.accepts(8, 0)
		p.steps(2 * time.Second)
		p.chunk(then)
		for seq := uint64(2); seq <= 12; seq++ {
			p.chunk(dataFrame(liveAt(7, seq)))
		}
		for seq := uint64(2); seq <= 7; seq++ {
			p.chunk(dataFrame(eventAt(7, seq)))
		}
		p.chunk(dataFrame(liveAt(8, 1)), p.done())
		live := p.ofStream("live")
		live.want(t, "live 8:1", "live 7:2", "live 7:3", "live 7:4", "live 7:5", "live 7:6", "live 7:7", "live 7:8", "live 7:9", "live 7:12")
		event := p.ofStream("event")
		event.want(t, "event 7:7", "gap event 7:8-0 restart", "event 7:2", "event 7:3", "event 7:4", "event 7:5")
		if len(p.past.had) > 0 {
			t.Errorf("%d runs are remembered when all is there", len(p.past.had))
		}
	})
}

// Of too many runs the oldest is forgotten, not the one that has just ended.
func TestWhatWasHadOfRunsIsBounded(t *testing.T) {
	p := newPastView()
	const streams, runs = 200, 5
	for epoch := range uint32(runs) {
		for i := range streams {
			p.remember(run{fmt.Sprint(i), epoch}, ranges{{From: 1, To: 9}})
		}
		for i := range streams {
			if p.had[run{fmt.Sprint(i), epoch}] == nil {
				t.Fatalf("run %d: stream %d is forgotten", epoch, i)
			}
		}
		if len(p.had) > maxHad {
			t.Fatalf("%d are remembered", len(p.had))
		}
	}
}

// In another run streams have other numbers. One that was received before begins neither where the viewer was told to begin, nor with all that is past.
func TestAnotherNumberIsNoOtherStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.cfg.From = "00000007:0"
		p.steps(0)
		p.chunk(p.done())
		p.take(eventAt(7, 1), wire.Hop{})
		p.accepts(8, 0, signal.Stream{ID: 5, Name: "event", Class: "event", Start: "00000008:0"})
		p.steps(2 * time.Second)
		p.chunk(p.done())
		p.accepts(8, 0, signal.Stream{ID: 5, Name: "event", Class: "event", Start: "00000008:0"})
		if _, wanted := p.past.wanted["event"]; wanted || p.past.tails["event"] != nil {
			t.Error("a stream that was received from its beginning is wanted once more")
		}
	})
}

// Behind an outage what was under way comes first, and then there is a hole: it is asked for as well.
func TestAHoleBehindWhatWasUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.take(liveAt(7, 1), wire.Hop{})
		p.chunk(p.done())
		p.take(liveAt(7, 2), wire.Hop{})
		time.Sleep(3 * time.Second)
		p.take(liveAt(7, 3), wire.Hop{})
		p.take(liveAt(7, 4), wire.Hop{})
		if len(p.past.wanted) > 0 {
			t.Errorf("nothing is missing, and %v is wanted", p.past.wanted)
		}
		time.Sleep(20 * time.Millisecond)
		p.take(liveAt(7, 200), wire.Hop{})
		if at := p.past.wanted["live"]; at != (place{7, 2}) {
			t.Errorf("what is behind %v is wanted, not behind the outage", at)
		}
		clear(p.past.wanted)
		time.Sleep(500 * time.Millisecond)
		p.take(liveAt(7, 202), wire.Hop{})
		if len(p.past.wanted) > 0 {
			t.Error("one that the air lost is asked for")
		}
	})
}

// Streams that are described when the others were asked for already are asked for as well.
func TestWhatIsDescribedLateIsAskedForToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.chunk(p.done())
		p.take(liveAt(7, 1), wire.Hop{})
		late := signal.Stream{ID: 9, Name: "late", Class: "live"}
		p.accepts(7, 0, late)
		h := liveAt(7, 1)
		h.Stream = 9
		p.take(h, wire.Hop{})
		p.steps(2 * time.Second)
		p.chunk(p.done())
		p.accepts(8, 0)
		p.steps(2 * time.Second) // of late nothing is known yet
		p.chunk(p.done())        // of the tails
		p.accepts(8, 0)
		p.steps(2 * time.Second)
		p.chunk(told(7, signal.Stream{ID: 2, Name: "live", Class: "live"}), dataFrame(liveAt(7, 2)), p.done())
		p.hear(t, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(8), Streams: []signal.Stream{late}})
		p.steps(2 * time.Second)
		if p.past.id == 0 || p.past.wanted["late"] != (place{7, 1}) {
			t.Errorf("%v is wanted, asked for: %v", p.past.wanted, p.past.id != 0)
		}
	})
}

// A transfer that stands still while nothing can be asked is no reason to look again and again: the step would follow the step.
func TestNothingToAskIsNothingToWaitFor(t *testing.T) {
	for _, c := range []struct {
		name string
		ends func(p *pastConn)
	}{
		{"cut off", func(p *pastConn) { p.accepted = false }},
		{"the device keeps nothing now", func(p *pastConn) { p.past.there = false }},
		{"nothing is wanted any more", func(p *pastConn) { clear(p.past.wanted) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPastConn(t, 0)
				p.steps(0)
				c.ends(p)
				time.Sleep(pastPatience + time.Second)
				if now := p.loop.now(); p.past.id == 0 || p.askPast(now) != session.Never {
					t.Errorf("transfer %x: the next step is %v from now", p.past.id, p.askPast(now)-now)
				}
			})
		})
	}
}

// A stream that the device does not have any more wakes nobody, until it is described after all.
func TestAStreamThatIsGoneIsNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newIdleConn(t)
		p.past.wanted, p.past.changed = map[string]place{"gone": {}}, true
		if wake := p.askPast(p.loop.now()); wake != session.Never {
			t.Errorf("the next step is %v from now", wake-p.loop.now())
		}
		gone := signal.Stream{ID: 4, Name: "gone", Class: "event", Start: signal.FormatPosition(7, 0)}
		p.hear(t, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(7), Streams: []signal.Stream{gone}})
		time.Sleep(pastEvery)
		if p.steps(0); !p.past.brings["gone"] {
			t.Error("it is described, and not asked for")
		}
	})
}

// What stands still is asked for anew when it has done so for too long, and not before.
func TestATransferThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		first := p.past.id
		wake := p.askPast(p.loop.now())
		if left := wake - p.loop.now(); left != pastPatience {
			t.Errorf("the next step is %v from now", left)
		}
		time.Sleep(pastPatience)
		if p.askPast(p.loop.now()); p.past.id == first {
			t.Error("it is not asked for anew")
		}
	})
}

// The acknowledgement of the last chunk may be lost: the chunk comes again, also when the device was asked anew, and is acknowledged
// again. What else comes of a transfer that is not under way is not taken.
func TestTheEndOfATransferIsAcknowledgedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		last := [][]byte{dataFrame(liveAt(7, 1)), p.done()}
		p.chunk(last...)
		acknowledged := func() bool {
			time.Sleep(time.Second)
			_, position, due := p.pastAck(p.loop.now(), false)
			return due && position.Epoch == p.of && position.Seq == p.chunks
		}
		if !acknowledged() {
			t.Error("the end is not acknowledged")
		}
		for range 2 {
			p.again(last...)
			if !acknowledged() {
				t.Error("the end came again, and is not acknowledged again")
			}
			p.accepts(7, 0)
		}
		p.chunks++
		p.again(dataFrame(liveAt(7, 2)))
		if acknowledged() {
			t.Error("what lies behind the end is acknowledged")
		}
		got := p.ofStream("live")
		got.want(t, "live 7:1")
	})
}

// A path stands still and another takes over: what an outage tore out comes from the spool, and then, within its deadline, on the first
// path as well. It is told once.
func TestWhatThePastBroughtFirstIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.take(liveAt(7, 99), wire.Hop{})
		p.chunk(p.done())
		time.Sleep(5 * time.Second)
		p.take(liveAt(7, 151), wire.Hop{})
		p.steps(0)
		for seq := uint64(100); seq <= 149; seq++ {
			p.chunk(dataFrame(liveAt(7, seq)))
		}
		var told []string
		p.cfg.Events.Batch = func(r Received) { told = append(told, fmt.Sprint(r.Header.Seq, r.Skip, r.Take, r.Late)) }
		for seq := uint64(100); seq < 148; seq++ {
			p.take(liveAt(7, seq), wire.Hop{})
		}
		h := liveAt(7, 148)
		h.Count = 3
		p.take(h, wire.Hop{})
		p.chunk(dataFrame(liveAt(7, 150)), dataFrame(liveAt(7, 151)), p.done())
		if want := []string{"148 2 1 true"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if n := p.Stats().Drops[string(session.Duplicate)]; n != 48 {
			t.Errorf("%d counted as duplicate, want 48", n)
		}
	})
}

// That nothing is told twice costs the samples that come in order nothing.
func TestALiveSampleIsToldWithoutGarbage(t *testing.T) {
	p := newPastConn(t, 0)
	p.cfg.Events.Batch = func(Received) {}
	s, h := p.streams[2], liveAt(7, 0)
	allocs := testing.AllocsPerRun(100, func() {
		h.Seq++
		s.out, _ = s.inbox.Receive(0, h, nil, -1, s.out[:0])
		p.deliver(s, nil, false)
	})
	if allocs > 0 {
		t.Errorf("%v allocations a sample", allocs)
	}
}

// older tells of streams of 20 earlier runs with numbers of 100 and more, more than a viewer remembers.
func (p *pastConn) older() {
	for epoch := uint32(100); epoch < 120; epoch++ {
		streams := make([]signal.Stream, 250)
		for i := range streams {
			streams[i] = signal.Stream{ID: uint32(100 + i), Name: fmt.Sprint(epoch, i), Class: "live"}
		}
		p.pastSignal(signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(epoch), Streams: streams})
	}
	if len(p.past.told) > maxToldPast || len(p.past.tolds) != len(p.past.told) {
		p.t.Errorf("%d streams are remembered, in the order of %d", len(p.past.told), len(p.past.tolds))
	}
}

// Of too many runs the latest are delivered.
func TestTheLatestOfManyRunsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.older()
		h := liveAt(120, 4)
		p.chunk(told(120, signal.Stream{ID: 2, Name: "live", Class: "live"}), dataFrame(h), p.done())
		p.log.want(t, "live 78:4")
	})
}

// Of a stream whose samples are seconds apart each one comes behind a silence. One that is lost is asked for, and not all that came before.
func TestASlowStreamAsksForWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.chunk(p.done())
		for seq := uint64(1); seq <= 100; seq++ {
			if seq != 90 {
				p.take(liveAt(7, seq), wire.Hop{})
			}
			if _, wanted := p.past.wanted["live"]; wanted != (seq > 90) {
				t.Fatalf("at %d, wanted: %v", seq, wanted)
			}
			time.Sleep(2 * time.Second)
		}
		if at := p.past.wanted["live"]; at != (place{7, 89}) {
			t.Errorf("what is behind %v is wanted", at)
		}
	})
}

// Of a batch only the newest sample may come in time. What is missing before it is asked for behind the next silence at the latest.
func TestASlowStreamAsksForWhatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.chunk(p.done())
		p.take(liveAt(7, 1), wire.Hop{})
		time.Sleep(2 * time.Second)
		p.take(liveAt(7, 2), wire.Hop{})
		wall := uint64(time.Now().UnixMicro())
		p.paths.clock.Sample(p.loop.now(), wall, wall, wall, wall)
		made := time.Now().Add(-time.Second)
		p.cfg.NewestTime = func([]byte, int) (int64, bool) { return made.UnixMicro(), true }
		h := liveAt(7, 3)
		h.Count, h.Deadline = 3, 250
		p.take(h, wire.Hop{})
		for seq := uint64(6); seq < 10; seq++ {
			time.Sleep(2 * time.Second)
			made = time.Now()
			p.take(liveAt(7, seq), wire.Hop{})
		}
		if at, wanted := p.past.wanted["live"]; !wanted || at != (place{7, 1}) {
			t.Errorf("what is behind %v is wanted: %v", at, wanted)
		}
	})
}
