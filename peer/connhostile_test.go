package peer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// The tests of this file hand frames to one end, as a malicious other end
// would send them. Nothing runs: no loop, no carriers.

// ear is a leg whose other end the test plays.
func ear(number uint64, rung ladder.Rung) (*leg, *peertest.Carrier) {
	near, far, _ := peertest.Pair(peertest.Config{Rung: rung, Stream: true})
	return &leg{carrier: near, number: number}, far
}

// bareConn is a Conn that a device with one Event and one Live stream has
// accepted on its link.
func bareConn(t testing.TB, events Events) *Conn {
	t.Helper()
	c, err := Dial(ViewConfig{Endpoint: Endpoint{URL: "http://relay"}, Device: "bench", NoDirect: true, Events: events})
	if err != nil {
		t.Fatal(err)
	}
	c.end = func(err error) { t.Errorf("ended: %v", err) }
	g, _ := ear(0, ladder.WS)
	c.link.up(g)
	c.reopen(c.loop.now())
	c.hear(t, signal.Message{Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(7)})
	c.hear(t, description(7, 0))
	return c
}

func description(epoch uint32, after uint64) signal.Message {
	return signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(epoch), Streams: []signal.Stream{
		{ID: 1, Name: "event", Class: "event", Start: signal.FormatPosition(epoch, after)},
		{ID: 2, Name: "live", Class: "live"},
	}}
}

// hear has the Conn take a signal that came on its link.
func (c *Conn) hear(t testing.TB, m signal.Message) {
	t.Helper()
	body, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.handle(c.link.leg, wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: viewNumber}, body))
}

// take has it take a data frame.
func (c *Conn) take(h wire.Header, hop wire.Hop) {
	hop.Conn = viewNumber
	c.handle(c.link.leg, wire.AppendFrame(nil, wire.TypeData, hop, append(wire.AppendHeader(nil, h), 1)))
}

func eventAt(epoch uint32, seq uint64) wire.Header {
	return wire.Header{Class: wire.Event, Stream: 1, Epoch: epoch, Seq: seq, Count: 1}
}

func liveAt(epoch uint32, seq uint64) wire.Header {
	return wire.Header{Class: wire.Live, Stream: 2, Epoch: epoch, Seq: seq, Count: 1}
}

// log writes what a Conn tells as one line each.
type log []string

func (l *log) events() Events {
	return Events{
		Batch: func(r Received) {
			kind := map[bool]string{true: "kept ", false: ""}[r.Retained]
			*l = append(*l, fmt.Sprintf("%s%s %x:%d", kind, r.Stream.Name, r.Header.Epoch, r.Header.Seq))
		},
		Gap: func(s *signal.Stream, g wire.Gap) {
			*l = append(*l, fmt.Sprintf("gap %s %x:%d-%d %v", s.Name, g.Epoch, g.From, g.To, g.Reason))
		},
	}
}

func (l *log) want(t *testing.T, lines ...string) {
	t.Helper()
	if fmt.Sprint(*l) != fmt.Sprint(lines) {
		t.Errorf("told %q, want %q", *l, lines)
	}
	*l = nil
}

// TestRestartDeliversWhatCameEarly: samples held back behind a hole were
// acknowledged; when the rest will never come they are delivered.
func TestRestartDeliversWhatCameEarly(t *testing.T) {
	var l log
	c := bareConn(t, l.events())
	c.take(eventAt(7, 1), wire.Hop{})
	c.take(eventAt(7, 4), wire.Hop{})
	l.want(t, "event 7:1")
	c.hear(t, signal.Message{Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(8)})
	l.want(t, "gap event 7:2-3 restart", "event 7:4", "gap event 7:5-0 restart")
	c.hear(t, description(8, 0))
	c.take(eventAt(7, 5), wire.Hop{}) // late, of the run before
	c.take(eventAt(8, 1), wire.Hop{})
	l.want(t, "event 8:1")
	if n := c.Stats().Drops["old-epoch"]; n != 1 {
		t.Errorf("%d counted as old-epoch, want 1", n)
	}
}

// TestEarlyIsBounded: a device that leaves out the first sample of all its
// streams makes the viewer hold a part of the others only.
func TestEarlyIsBounded(t *testing.T) {
	c := bareConn(t, Events{})
	streams := make([]signal.Stream, 20)
	for i := range streams {
		streams[i] = signal.Stream{ID: uint32(i + 10), Name: fmt.Sprint(i), Class: "event", Start: signal.FormatPosition(7, 0)}
	}
	c.hear(t, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(7), Streams: streams})
	h, payload := eventAt(7, 0), make([]byte, wire.MaxData-100)
	for h.Stream = 10; h.Stream < 30; h.Stream++ {
		for h.Seq = 2; h.Seq < 60; h.Seq++ {
			c.handle(c.link.leg, wire.AppendFrame(nil, wire.TypeData, wire.Hop{Conn: viewNumber}, append(wire.AppendHeader(nil, h), payload...)))
		}
	}
	if held := c.early.Used(); held < 7<<20 || held > 8<<20 {
		t.Errorf("%d bytes are held", held)
	}
	c.hear(t, signal.Message{Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(8)})
	if held := c.early.Used(); held != 0 {
		t.Errorf("%d bytes are held of an epoch that is over", held)
	}
}

func TestGoodbyeSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l log
		c := bareConn(t, l.events())
		c.take(eventAt(7, 1), wire.Hop{})
		c.hear(t, signal.Message{Type: signal.Bye, Final: map[uint32]string{1: signal.FormatPosition(7, 3)}})
		c.take(eventAt(7, 2), wire.Hop{})
		c.step(c.loop.now())
		l.want(t, "event 7:1", "event 7:2")
		time.Sleep(byeGrace)
		c.step(c.loop.now())
		l.want(t, "gap event 7:3-3 restart")
		c.hear(t, signal.Message{Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(8)})
		l.want(t)
	})
}

func TestKeptValues(t *testing.T) {
	var l log
	c := bareConn(t, l.events())
	kept := wire.Hop{Retained: true, Held: 1 << 52}
	c.take(liveAt(7, 5), kept)
	c.take(liveAt(7, 5), kept) // from the device, too
	c.take(liveAt(7, 4), kept)
	l.want(t, "kept live 7:5")
	c.take(liveAt(7, 9), wire.Hop{})
	c.take(liveAt(7, 9), kept)
	c.take(liveAt(6, 70), kept)
	l.want(t, "live 7:9")
	c.take(liveAt(7, 12), kept) // published while the Conn had no path
	l.want(t, "kept live 7:12")
	will := wire.Header{Class: wire.Event, Stream: 1, Epoch: 99, Seq: 1, Count: 1, Will: true}
	c.take(will, wire.Hop{})
	c.take(will, kept)
	will.Epoch = 100 // cut again
	c.take(will, wire.Hop{})
	l.want(t, "kept event 63:1", "kept event 64:1")
}

// TestKeptBehindPosition: who asks for what follows a position is told first what follows it, not the newest value.
func TestKeptBehindPosition(t *testing.T) {
	var l log
	c := bareConn(t, l.events())
	c.cfg.From = signal.FormatPosition(7, 3)
	kept := wire.Hop{Retained: true}
	c.take(eventAt(7, 9), kept)
	c.take(eventAt(6, 9), kept)
	l.want(t)
	c.take(liveAt(7, 9), kept) // has no order
	c.take(wire.Header{Class: wire.Event, Stream: 1, Epoch: 99, Seq: 1, Count: 1, Will: true}, kept)
	l.want(t, "kept live 7:9", "kept event 63:1")
}

func TestSealedIsCounted(t *testing.T) {
	var l log
	c := bareConn(t, l.events())
	h := eventAt(7, 1)
	h.Key = 3
	c.take(h, wire.Hop{})
	c.take(eventAt(7, 2), wire.Hop{})
	l.want(t, "gap event 7:1-1 refused", "event 7:2")
	c.take(h, wire.Hop{Retained: true})
	l.want(t)
	if n := c.Stats().Drops["sealed"]; n != 2 {
		t.Errorf("%d counted as sealed", n)
	}
}

// TestServersRefuseEndsNothing: it tells what of ours was not taken. The link goes on, and the Conn, whatever the code.
func TestServersRefuseEndsNothing(t *testing.T) {
	c := bareConn(t, Events{Link: func(linked bool, err error) { // an end fails the test, too
		if !linked || err != nil {
			t.Error("link", linked, err)
		}
	}})
	for _, code := range []string{"malformed", "forbidden", "unknown-device"} {
		f, err := signalFrame(0, signal.Message{Type: signal.Refuse, Code: code, Reason: "no"})
		if err != nil {
			t.Fatal(err)
		}
		c.handle(c.link.leg, f.Bytes)
	}
	if !c.accepted || !c.asked || c.Stats().Drops[string(session.Malformed)] != 0 {
		t.Errorf("accepted %v, asked %v, %v", c.accepted, c.asked, c.Stats().Drops)
	}
}

// TestEndIsExplained: what the server said right before it closed the link with the same code has a remedy.
func TestEndIsExplained(t *testing.T) {
	const reason, remedy = "the name is taken by another key", "choose another"
	for _, c := range []struct {
		name string
		ago  time.Duration
		end  error
		want string
	}{
		{"at once", 0, &RefusedError{Code: "name-taken", Reason: reason}, reason + " (" + remedy + ")"},
		{"cut off", 0, &RefusedError{Code: "name-taken", Reason: reason[:9]}, reason + " (" + remedy + ")"},
		{"other words", 0, &RefusedError{Code: "name-taken", Reason: "enough"}, "enough (" + remedy + ")"},
		{"another code", 0, &RefusedError{Code: "silent", Reason: "silence"}, "silence"},
		{"a cut", 0, errors.New("reset"), "reset"},
		{"much later", 2 * explainedWithin, &RefusedError{Code: "name-taken", Reason: "again"}, "again"},
	} {
		h := bareHost(t)
		h.link.told(h.link.leg, signal.Message{Type: signal.Refuse, Code: "name-taken", Reason: reason, Remedy: remedy})
		h.link.leg.refusedAt -= c.ago
		if got := h.link.explained(h.link.leg, c.end).Error(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestDeviceCannotSpeakForServer: on a direct path nobody has checked what
// the device says of itself, of others, or of us.
func TestDeviceCannotSpeakForServer(t *testing.T) {
	c := bareConn(t, Events{
		Opened: func(signal.Device) { t.Error("opened") },
		State:  func(signal.Device) { t.Error("state") },
		Link: func(linked bool, err error) {
			if !linked || err != nil {
				t.Error("link", linked, err)
			}
		},
	})
	g, _ := ear(0, ladder.UDP)
	g.attempt = &attempt{leg: g, ready: true}
	device, err := json.Marshal(signal.Device{ID: "other", State: signal.StateOffline})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []signal.Message{
		{Type: signal.Opened, Device: device},
		{Type: signal.State, Device: device},
		{Type: signal.Refuse, Code: "unauthorized"},
		{Type: signal.Refused, Code: "unauthorized"},
		{Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(8)},
	} {
		body, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		c.handle(g, wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{}, body))
	}
	if c.epoch != 7 || !c.accepted {
		t.Error("it was believed")
	}
}

// TestDescriptionsAreBounded: in number, in size, and in what they may change.
func TestDescriptionsAreBounded(t *testing.T) {
	c := bareConn(t, Events{})
	for id := range uint32(1000) {
		c.hear(t, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(7), Streams: []signal.Stream{
			{ID: id, Name: fmt.Sprintf("stream %d", id), Class: "live"},
			{ID: 70000 + id, Name: "beyond", Class: "live"},
			{ID: 3, Name: "big", Class: "live", Meta: json.RawMessage(`"` + strings.Repeat("x", maxMeta) + `"`)},
		}})
	}
	if n := len(c.streams); n != wire.MaxStreams {
		t.Errorf("%d streams, want %d", n, wire.MaxStreams)
	}
	c.hear(t, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(7), Streams: []signal.Stream{{ID: 1, Name: "event", Class: "live"}}})
	if s := c.streams[1]; s.class != wire.Event {
		t.Error("a stream's class changed within an epoch")
	}
	// The next run of the device has other numbers.
	c.hear(t, signal.Message{Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(8)})
	c.hear(t, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(8), Streams: []signal.Stream{{ID: 5000, Name: "new", Class: "live"}}})
	if c.streams[5000] == nil {
		t.Error("streams of the run before take the room of new ones")
	}
}

// TestLiveBehindItsDeadline: where its user can read the times, a Conn drops Live samples that are too old; the newest is shown at
// whatever age.
func TestLiveBehindItsDeadline(t *testing.T) {
	var l log
	c := bareConn(t, l.events())
	made := time.Now()
	c.cfg.NewestTime = func([]byte, int) (int64, bool) { return made.UnixMicro(), true }
	comes := func(seq uint64, age time.Duration) {
		made = time.Now().Add(-age)
		h := liveAt(7, seq)
		h.Deadline = 250
		c.take(h, wire.Hop{})
	}
	comes(1, time.Hour) // no clock is known yet, and it is the newest
	comes(4, 0)
	comes(2, time.Second)
	l.want(t, "live 7:1", "live 7:4", "live 7:2")
	wall := uint64(time.Now().UnixMicro())
	c.paths.clock.Sample(c.loop.now(), wall, wall, wall, wall)
	comes(3, time.Second)
	l.want(t)
	comes(5, time.Second)
	l.want(t, "live 7:5")
	if n := c.Stats().Drops["deadline"]; n != 1 {
		t.Errorf("%d dropped behind their deadline, want 1", n)
	}
}
