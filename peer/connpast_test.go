package peer

import (
	"encoding/json"
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

// Of a stream with few Events nothing comes for long while the transfer brings those of others: nothing of it is given up for that.
func TestAStreamWaitsWhileTheTransferBringsOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.take(busyAt(7, 1), wire.Hop{})
		p.ring(1, 2, 3)
		p.ring(3, 2, 100)
		p.steps(0)
		for seq := uint64(2); seq <= 100; seq++ {
			p.steps(time.Second)
			p.chunk(dataFrame(busyAt(7, seq)))
			p.ring(1, 2, 3) // said again and again
		}
		p.chunk(dataFrame(eventAt(7, 2)), dataFrame(eventAt(7, 3)), p.done())
		got := p.ofStream("event")
		got.want(t, "event 7:1", "event 7:2", "event 7:3")
	})
}

// Where the transfer stands still, waiting ends all the same.
func TestAStreamWaitsNoLongerThanTheTransferMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.ring(1, 2, 3)
		p.steps(10 * time.Second)
		p.chunk(dataFrame(eventAt(7, 2)))
		p.steps(tailPatience + 2*time.Second)
		if len(p.past.tails) > 0 {
			t.Error("it still waits")
		}
	})
}

// A stream that begins to wait while the transfer brings what others wait for is asked for behind it.
func TestAStreamThatWaitsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.take(busyAt(7, 1), wire.Hop{})
		p.ring(1, 2, 2)
		p.steps(0)
		p.ring(3, 2, 2)
		p.chunk(dataFrame(eventAt(7, 2)), p.done())
		p.ring(3, 2, 2)
		p.steps(2 * time.Second)
		p.chunk(dataFrame(busyAt(7, 2)), p.done())
		got := p.ofStream("busy")
		got.want(t, "busy 7:1", "busy 7:2")
	})
}

// Two streams wait for the rest of a run: each goes on behind what came of the new one.
func TestTheRestOfTwoStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.take(busyAt(7, 1), wire.Hop{})
		p.accepts(8, 0)
		p.steps(0)
		p.chunk(dataFrame(eventAt(8, 1)), dataFrame(busyAt(8, 1)), p.done())
		p.accepts(8, 0)
		for seq := uint64(1); seq <= 2; seq++ {
			p.take(eventAt(8, seq), wire.Hop{})
			p.take(busyAt(8, seq), wire.Hop{})
		}
		for _, name := range []string{"event", "busy"} {
			got := p.ofStream(name)
			got.want(t, name+" 7:1", name+" 8:1", name+" 8:2")
		}
	})
}

// A device that does not run again leaves a gap, and what came early is delivered.
func TestADeviceThatSaidGoodbyeForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.take(eventAt(7, 3), wire.Hop{})
		p.hear(t, signal.Message{Type: signal.Bye, Final: map[uint32]string{1: "00000007:3"}})
		p.steps(spoolGrace - time.Minute)
		got := p.ofStream("event")
		got.want(t, "event 7:1")
		p.steps(2 * time.Minute)
		got = p.ofStream("event")
		got.want(t, "event 7:1", "gap event 7:2-2 restart", "event 7:3")
	})
}

// The device's program ends on purpose before all of its Events have come: they are in its spool, and come when it runs again.
func TestTheRestOfARunThatSaidGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.hear(t, signal.Message{Type: signal.Bye, Final: map[uint32]string{1: "00000007:3"}})
		p.steps(time.Minute)
		p.accepts(8, 0)
		p.steps(2 * time.Second)
		then := told(7, signal.Stream{ID: 1, Name: "event", Class: "event"})
		p.chunk(then, dataFrame(eventAt(7, 2)), p.done())
		got := p.ofStream("event")
		got.want(t, "event 7:1", "event 7:2", "gap event 7:3-3 restart")
	})
}

// A goodbye that was not heard is told behind what is kept: of a run that is whole then nothing is missing.
func TestAGoodbyeThatWasNotHeard(t *testing.T) {
	for final, want := range map[string][]string{
		"00000007:2": {"event 7:1", "event 7:2"},
		"00000007:5": {"event 7:1", "event 7:2", "gap event 7:3-5 restart"},
		"00000006:2": {"event 7:1", "event 7:2", "gap event 7:3-0 restart"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPastConn(t, 0)
			p.take(eventAt(7, 1), wire.Hop{})
			p.accepts(8, 0)
			p.steps(2 * time.Second)
			then := told(7, signal.Stream{ID: 1, Name: "event", Class: "event"})
			bye := appendSignal(nil, signal.Message{Type: signal.Bye, Final: map[uint32]string{1: final, 9: final}})
			p.chunk(then, dataFrame(eventAt(7, 2)), bye, p.done())
			got := p.ofStream("event")
			got.want(t, want...)
		})
	}
}

// A link that is away for long, amid what comes of a run that was cut off: nothing of that is given up meanwhile.
func TestTheRestOutlastsALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.accepts(8, 0)
		p.steps(0)
		then := told(7, signal.Stream{ID: 1, Name: "event", Class: "event"})
		p.chunk(then, dataFrame(eventAt(7, 2)))
		p.accepted = false
		p.steps(2 * tailPatience)
		p.accepts(8, 0)
		p.steps(2 * time.Second)
		p.chunk(then, dataFrame(eventAt(7, 3)), dataFrame(eventAt(8, 1)), p.done())
		got := p.ofStream("event")
		got.want(t, "event 7:1", "event 7:2", "event 7:3", "event 8:1")
		p.accepted = true
		p.take(eventAt(8, 1), wire.Hop{})
		p.take(eventAt(8, 2), wire.Hop{})
		got = p.ofStream("event")
		got.want(t, "event 7:1", "event 7:2", "event 7:3", "event 8:1", "event 8:2")
	})
}

// The rest may come to its end between two links: the new run's beginning, which it brought, does not come again.
func TestTheRestEndsBetweenLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.accepts(8, 0)
		p.steps(0)
		p.accepted = false
		p.chunk(told(7, signal.Stream{ID: 1, Name: "event", Class: "event"}), dataFrame(eventAt(7, 2)), dataFrame(eventAt(8, 1)), p.done())
		p.accepts(8, 0)
		p.steps(2 * time.Second)
		p.chunk(p.done())
		p.accepted = true
		p.take(eventAt(8, 1), wire.Hop{})
		p.take(eventAt(8, 2), wire.Hop{})
		got := p.ofStream("event")
		got.want(t, "event 7:1", "event 7:2", "event 8:1", "event 8:2")
	})
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

// The rest of the run before may reach into the new one: what that brings does not come again either.
func TestTheRestReachesIntoTheNewRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 5)
		p.steps(0)
		p.take(eventAt(7, 6), wire.Hop{})
		p.chunk(dataFrame(eventAt(7, 1)))
		p.log = nil
		p.accepts(8, 0)
		p.steps(2 * time.Second)
		then := told(7, signal.Stream{ID: 1, Name: "event", Class: "event"})
		p.chunk(then, dataFrame(eventAt(7, 7)), dataFrame(eventAt(8, 1)), dataFrame(eventAt(8, 2)), p.done())
		p.accepts(8, 0)
		p.steps(2 * time.Second)
		p.chunk(then)
		for seq := uint64(2); seq <= 7; seq++ {
			p.chunk(dataFrame(eventAt(7, seq)))
		}
		p.chunk(dataFrame(eventAt(8, 1)), dataFrame(eventAt(8, 2)), p.done())
		event := p.ofStream("event")
		event.want(t, "event 7:7", "event 8:1", "event 8:2", "event 7:2", "event 7:3", "event 7:4", "event 7:5")
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

// A position within a batch: what is before it was delivered, and is not again.
func TestTheRestBeginsWithinABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.cfg.Events.Batch = func(r Received) {
			for i := range r.Take {
				p.log = append(p.log, signal.FormatPosition(r.Header.Epoch, r.Header.Seq+uint64(r.Skip+i)))
			}
		}
		p.cfg.From = "00000006:3"
		p.streams, p.events = map[uint32]*subscription{}, nil
		clear(p.past.begun)
		p.accepts(7, 0)
		p.steps(0)
		h := eventAt(6, 2)
		h.Count = 4
		p.chunk(told(6, signal.Stream{ID: 1, Name: "event", Class: "event"}), dataFrame(h))
		p.log.want(t, "00000006:4", "00000006:5")
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

// An Event stream that is Live in the next run: the rest of its Events comes as what is past.
func TestTheRestOfAStreamOfAnotherClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.chunk(p.done())
		p.take(eventAt(7, 1), wire.Hop{})
		p.accepts(8, 0, signal.Stream{ID: 1, Name: "event", Class: "live"})
		h := eventAt(8, 1)
		h.Class = wire.Live
		p.take(h, wire.Hop{})
		p.steps(2 * time.Second)
		p.chunk(told(7, signal.Stream{ID: 1, Name: "event", Class: "event"}), dataFrame(eventAt(7, 2)), dataFrame(h), p.done())
		p.steps(tailPatience + time.Second)
		got := p.ofStream("event")
		got.want(t, "event 7:1", "event 8:1", "event 7:2")
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
		p := newPastConn(t, 0)
		p.steps(0)
		p.chunk(p.done())
		p.past.wanted, p.past.changed = map[string]place{"gone": {}}, true
		time.Sleep(pastEvery)
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

// What a ring has no more comes from the spool, and what it has was there before. Of the spool's copy of that nothing is needed: the
// device is told so, and told again if it goes on all the same.
func TestATransferThatIsNotNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.chunk(p.done())
		time.Sleep(pastEvery)
		for seq := uint64(3); seq <= 5; seq++ {
			p.take(busyAt(7, seq), wire.Hop{})
		}
		p.ring(3, 1, 2)
		p.steps(0)
		brings := p.past.id
		p.chunk(dataFrame(busyAt(7, 1)), dataFrame(busyAt(7, 2)))
		if p.past.id != brings {
			t.Fatal("it is over before anybody knows that no more is needed")
		}
		told := func() bool {
			before := p.past.inbox
			p.steps(0)
			return p.past.inbox != before && p.past.id == 0
		}
		p.chunk(dataFrame(busyAt(7, 3)), dataFrame(busyAt(7, 4)))
		time.Sleep(pastEvery)
		if !told() {
			t.Error("the device is not told")
		}
		late := func() { p.chunks++; p.again(dataFrame(busyAt(7, 5))) }
		late()
		if time.Sleep(pastEvery); told() {
			t.Error("the device is told because of what was under way")
		}
		time.Sleep(pastPatience)
		late()
		if !told() {
			t.Error("the device is not told again")
		}
		got := p.ofStream("busy")
		got.want(t, "busy 7:1", "busy 7:2", "busy 7:3", "busy 7:4", "busy 7:5")
	})
}

// A gap overtakes what was sent before it. That comes live, and then from the spool: it is not what the stream waits for.
func TestWhatAGapOvertookIsNotWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.steps(0)
		p.chunk(p.done())
		time.Sleep(pastEvery)
		p.ring(1, 1, 9) // another one, which waits for longer
		p.ring(3, 3, 4)
		p.steps(0)
		p.take(busyAt(7, 1), wire.Hop{})
		p.take(busyAt(7, 2), wire.Hop{})
		p.ring(3, 3, 5) // of which the ring has lost one more
		p.take(busyAt(7, 6), wire.Hop{})
		p.chunk(dataFrame(busyAt(7, 1)), dataFrame(busyAt(7, 2)))
		if p.past.tails["busy"] == nil {
			t.Error("it waits no more, and 3 to 5 are missing")
		}
		p.ring(3, 3, 5)
		p.chunk(dataFrame(busyAt(7, 3)), dataFrame(busyAt(7, 4)))
		p.ring(3, 3, 5)
		p.chunk(dataFrame(busyAt(7, 5)), dataFrame(busyAt(7, 6)))
		if p.past.tails["busy"] != nil {
			t.Error("it waits for nothing")
		}
		got := p.ofStream("busy")
		got.want(t, "busy 7:1", "busy 7:2", "busy 7:3", "busy 7:4", "busy 7:5", "busy 7:6")
	})
}

// waitsForTwo is a Conn whose stream "busy" was delivered up to the 5th, of which the spool brought the first two, and whose transfer goes
// on, for another stream as well.
func waitsForTwo(t *testing.T) *pastConn {
	p := newPastConn(t, 0)
	p.steps(0)
	p.chunk(p.done())
	time.Sleep(pastEvery)
	for seq := uint64(3); seq <= 5; seq++ {
		p.take(busyAt(7, seq), wire.Hop{})
	}
	p.ring(1, 1, 9)
	p.ring(3, 1, 2)
	p.steps(0)
	p.chunk(dataFrame(busyAt(7, 1)), dataFrame(busyAt(7, 2)))
	return p
}

// A stream that waits again waits for what the transfer that goes on for others was not asked for: neither does that bring it, nor end it.
func TestAStreamThatWaitsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := waitsForTwo(t)
		p.chunk(dataFrame(busyAt(7, 3)))
		if p.past.tails["busy"] != nil || p.past.id == 0 {
			t.Fatal("it waits still, or nobody does")
		}
		p.ring(3, 6, 8)
		p.chunk(dataFrame(busyAt(7, 7)), dataFrame(eventAt(7, 1)))
		p.chunk(p.done())
		if tail := p.past.tails["busy"]; tail == nil || tail.at.seq != 5 {
			t.Fatalf("it waits for what lies behind %+v", tail)
		}
		p.steps(2 * time.Second)
		p.chunk(dataFrame(busyAt(7, 6)), dataFrame(busyAt(7, 7)), dataFrame(busyAt(7, 8)), p.done())
		got := p.ofStream("busy")
		got.want(t, "busy 7:1", "busy 7:2", "busy 7:3", "busy 7:4", "busy 7:5", "busy 7:6", "busy 7:7", "busy 7:8")
	})
}

// A run that came as a whole is over, while the spool still brings what it has of it: the next one waits for nothing, and nothing comes twice.
func TestARunThatIsWholeIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := waitsForTwo(t)
		p.hear(t, signal.Message{Type: signal.Bye, Final: map[uint32]string{3: "00000007:5"}})
		p.accepts(8, 0)
		p.take(busyAt(8, 1), wire.Hop{})
		p.steps(2 * time.Second)
		p.chunk(told(7, signal.Stream{ID: 3, Name: "busy", Class: "event"}), dataFrame(busyAt(7, 3)), dataFrame(busyAt(7, 4)), p.done())
		got := p.ofStream("busy")
		got.want(t, "busy 7:1", "busy 7:2", "busy 7:3", "busy 7:4", "busy 7:5", "busy 8:1")
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

// The end of a run that is so many runs back cannot be told whose it is: the stream's next run comes behind a gap all the same. So does
// that of a stream whose description is none that can be remembered.
func TestWhatNobodyCanTellWhoseItIsMayBeARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.take(busyAt(7, 1), wire.Hop{})
		p.accepts(200, 0)
		p.steps(0)
		event, busy := signal.Stream{ID: 1, Name: "event", Class: "event"}, signal.Stream{ID: 3, Name: "busy", Class: "event"}
		p.chunk(told(7, event), dataFrame(eventAt(7, 2)))
		p.older()
		big := signal.Stream{ID: 1, Name: "event", Class: "event", Meta: json.RawMessage(`"` + strings.Repeat("x", maxMeta) + `"`)}
		gap := wire.AppendGap(nil, wire.Gap{Stream: 1, Epoch: 7, From: 3, Reason: wire.GapRestart})
		p.chunk(wire.AppendFrame(nil, wire.TypeGap, wire.Hop{}, gap))
		p.chunk(told(120, event), dataFrame(eventAt(120, 1)), dataFrame(eventAt(120, 2)))
		p.chunk(told(120, busy), dataFrame(busyAt(120, 1)))
		p.chunk(told(121, big), dataFrame(eventAt(121, 1)), dataFrame(eventAt(200, 1)), dataFrame(busyAt(200, 1)), p.done())
		got := p.ofStream("event")
		got.want(t, "event 7:1", "event 7:2", "gap event 7:3-0 restart", "event 78:1", "event 78:2", "gap event 78:3-0 restart", "event c8:1")
		if n := p.Stats().Drops[string(session.UnknownStream)]; n != 2 {
			t.Errorf("%d counted as unknown-stream, want 2", n)
		}
	})
}

// Of a run that said where it ends nothing is missing, unless something came that may be its rest.
func TestARestThatIsWholePerhaps(t *testing.T) {
	for _, unnamed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPastConn(t, 0)
			p.take(eventAt(7, 1), wire.Hop{})
			p.hear(t, signal.Message{Type: signal.Bye, Final: map[uint32]string{1: "00000007:2"}})
			p.accepts(9, 0)
			p.steps(0)
			p.chunk(told(7, signal.Stream{ID: 1, Name: "event", Class: "event"}), dataFrame(eventAt(7, 2)))
			want := []string{"event 7:1", "event 7:2"}
			if unnamed {
				p.chunk(dataFrame(eventAt(8, 1)))
				want = append(want, "gap event 7:3-0 restart")
			}
			p.chunk(p.done())
			got := p.ofStream("event")
			got.want(t, want...)
		})
	}
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

// A device that begins anew every 20 s, with other streams each time: they do not wait for ever, and of each the gap is told.
func TestWhatWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		ended := 0
		p.cfg.Events.Gap = func(*signal.Stream, wire.Gap) { ended++ }
		const runs = 100
		for epoch := uint32(8); epoch < 8+runs; epoch++ {
			streams := make([]signal.Stream, wire.MaxStreams)
			for i := range streams {
				streams[i] = signal.Stream{ID: uint32(1 + i), Name: fmt.Sprint(epoch, " ", i), Class: "event", Start: signal.FormatPosition(epoch, 0)}
			}
			p.accepted = false
			p.accepts(epoch, 0, streams...)
			p.steps(20 * time.Second)
			if waiting := len(p.past.tails); waiting > maxTails {
				t.Fatalf("run %d: %d streams wait", epoch, waiting)
			}
		}
		if cut := 2 + (runs-1)*wire.MaxStreams; ended+len(p.past.tails) != cut {
			t.Errorf("of %d streams that were cut off %d wait, and gaps of %d are told", cut, len(p.past.tails), ended)
		}
	})
}

// A goodbye tells where one run ends. The next one, which the rest has come to, may have been cut off.
func TestAGoodbyeIsOfItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPastConn(t, 0)
		p.take(eventAt(7, 1), wire.Hop{})
		p.hear(t, signal.Message{Type: signal.Bye, Final: map[uint32]string{1: "00000007:2"}})
		p.accepts(9, 0)
		p.steps(0)
		stream := signal.Stream{ID: 1, Name: "event", Class: "event"}
		p.chunk(told(7, stream), dataFrame(eventAt(7, 2)), told(8, stream))
		for seq := uint64(1); seq <= 3; seq++ {
			p.chunk(dataFrame(eventAt(8, seq)))
		}
		p.chunk(p.done())
		got := p.ofStream("event")
		got.want(t, "event 7:1", "event 7:2", "event 8:1", "event 8:2", "event 8:3", "gap event 8:4-0 restart")
	})
}
