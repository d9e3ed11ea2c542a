package peer

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

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

// What a ring has no more comes from the spool, and what it has was there before. Of the spool's copy of that nothing is needed: the
// device is told so, and told again if it goes on all the same.
func TestATransferThatIsNotNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newIdleConn(t)
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
		p := newIdleConn(t)
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
	p := newIdleConn(t)
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
