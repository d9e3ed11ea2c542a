package peer

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// bareHost is a Host that is linked.
func bareHost(t *testing.T) *Host {
	t.Helper()
	h, err := NewHost(HostConfig{Endpoint: Endpoint{URL: "http://relay"}, Key: deviceKey, Name: "bench"})
	if err != nil {
		t.Fatal(err)
	}
	ether := peertest.NewEther(peertest.Config{})
	n := &node{}
	h.direct = n.director(ether)
	g, _ := ear(0, ladder.WS)
	h.link.up(g)
	h.hello(g, nil)
	h.greeted(signal.Message{})
	t.Cleanup(func() {
		for _, c := range h.conns {
			c.attempts.closeAll()
		}
		close(h.loop.stopped)
		h.tasks.Wait()
	})
	return h
}

func TestViewersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		for i := range uint64(3 * DefaultMaxViewers) {
			h.linkSignal(h.loop.now(), i+1, signal.Message{Type: signal.Open, ID: fmt.Sprint(i)})
		}
		if len(h.conns) != DefaultMaxViewers {
			t.Errorf("%d Conns, want %d", len(h.conns), DefaultMaxViewers)
		}
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Away})
		time.Sleep(time.Minute / 2)
		h.linkSignal(h.loop.now(), 9999, signal.Message{Type: signal.Open, ID: "newcomer"})
		if h.conns["newcomer"] == nil || h.conns["0"] != nil {
			t.Error("one that was away did not make room")
		}
		for range 100 * openBurst * DefaultMaxViewers {
			h.linkSignal(h.loop.now(), 9999, signal.Message{Type: signal.Open, ID: "newcomer"})
		}
		if h.Stats().Drops["limit"] < 90*openBurst*DefaultMaxViewers {
			t.Error("opens are not bounded")
		}
	})
}

// TestOffersAreBounded, and a path that works is not given up for offers.
func TestOffersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "a"})
		c := h.conns["a"]
		for n := range uint64(3) {
			c.relayedSignal(h.loop.now(), signal.Message{Type: signal.Offer, Attempt: n + 1})
			if n == 0 {
				c.attempts.list[0].leg.proved = true
			}
		}
		if l := c.attempts.list; len(l) != 2 || l[0].number != 1 || l[1].number != 3 {
			t.Error("the working path was not kept")
		}
		for n := range uint64(1000) {
			c.relayedSignal(h.loop.now(), signal.Message{Type: signal.Offer, Attempt: n + 10})
		}
		if n := c.attempts.last[directly]; n > 10+offerBurst {
			t.Errorf("%d offers were taken", n)
		}
		c.end()
		c.relayedSignal(h.loop.now(), signal.Message{Type: signal.Offer, Attempt: 1 << 40})
		if len(c.attempts.list) > 0 {
			t.Error("an attempt began after the end")
		}
	})
}

func TestRoundTripIsBelievedWithinReason(t *testing.T) {
	const took = 30 * time.Millisecond
	for _, c := range []struct {
		t2, t3 uint64
		want   time.Duration
	}{
		{1000, 1000, took},
		{1000, 11_000, took - 10*time.Millisecond},
		{0, wire.MaxInt, time.Microsecond},
		{wire.MaxInt, 0, took},
	} {
		if got := roundTrip(took, wire.Echo{T2: c.t2, T3: c.t3}); got != c.want {
			t.Errorf("t2 %d, t3 %d: %v, want %v", c.t2, c.t3, got, c.want)
		}
	}
}

// TestMalformedIsCountedAndSaidOnce at both ends.
func TestMalformedIsCountedAndSaidOnce(t *testing.T) {
	bad := [][]byte{
		{0xff},
		{5, 1},
		wire.AppendFrame(nil, wire.TypeData, wire.Hop{Conn: 1}, []byte{0x14}),
		wire.AppendFrame(nil, wire.TypeAck, wire.Hop{Conn: 1}, []byte{0, 9}),
		wire.AppendFrame(nil, wire.TypeGap, wire.Hop{Conn: 1}, nil),
		wire.AppendFrame(nil, wire.TypeProbe, wire.Hop{Conn: 1}, nil),
		wire.AppendFrame(nil, wire.TypeEcho, wire.Hop{Conn: 1}, nil),
		wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: 1}, []byte("{")),
	}
	c, h := bareConn(t, Events{}), bareHost(t)
	h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "a"})
	for _, packet := range bad {
		c.handle(c.link.leg, packet)
		h.handle(h.link.leg, packet)
	}
	// An Ack says nothing to a viewer, Data and Gap nothing to a device.
	if n := c.Stats().Drops[string(session.Malformed)]; n != uint64(len(bad)-1) {
		t.Errorf("the viewer counted %d, want %d", n, len(bad)-1)
	}
	if n := h.Stats().Drops[string(session.Malformed)]; n != uint64(len(bad)-2) {
		t.Errorf("the device counted %d, want %d", n, len(bad)-2)
	}
}

// TestBrokenFrameHarmsNoOther: what follows one whose hop part cannot be read is taken, at both ends; what follows a wrong length is not.
func TestBrokenFrameHarmsNoOther(t *testing.T) {
	endless := []byte{3, byte(wire.TypeProbe), 1, 0x80} // its conn number does not end
	probe := wire.AppendProbe(nil, wire.Hop{}, wire.Probe{ID: 7})
	c, h := bareConn(t, Events{}), bareHost(t)
	for _, end := range []struct {
		who    string
		link   *link
		handle func(*leg, []byte)
		stats  func() Stats
	}{{"viewer", c.link, c.handle, c.Stats}, {"device", h.link, h.handle, h.Stats}} {
		sent := &sink{rung: ladder.WS}
		end.link.leg = &leg{carrier: sent}
		end.handle(end.link.leg, slices.Concat(endless, probe, endless, []byte{0}, probe))
		if sent.frames != 1 {
			t.Errorf("the %s answered %d probes, want the first", end.who, sent.frames)
		}
		if n := end.stats().Drops[string(session.Malformed)]; n != 3 {
			t.Errorf("the %s counted %d malformed frames, want 3", end.who, n)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	h := bareHost(t)
	for _, cfg := range []StreamConfig{
		{Name: "", Class: wire.Live},
		{Name: "a\u202eb", Class: wire.Live},
		{Name: "a", Class: wire.Call},
		{Name: "a", Class: wire.Live, Meta: json.RawMessage("{")},
		{Name: "a", Class: wire.Live, Meta: make(json.RawMessage, maxMeta+1)},
	} {
		if _, err := h.Declare(cfg); err == nil {
			t.Errorf("declared %q", cfg.Name)
		}
	}
	s, err := h.Declare(StreamConfig{Name: "a", Class: wire.Event})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Declare(StreamConfig{Name: "a", Class: wire.Event}); err == nil {
		t.Error("declared twice")
	}
	for _, count := range []int{-1, 0, wire.MaxCount + 1} {
		if s.Publish(count, nil) == nil {
			t.Errorf("published %d samples", count)
		}
	}
	if s.Publish(1, make([]byte, wire.MaxData)) == nil || h.SetWill(s, make([]byte, wire.MaxData)) == nil {
		t.Error("what is too large for a frame was taken")
	}
	if _, err := NewHost(HostConfig{Endpoint: Endpoint{URL: "ftp://x"}, Key: deviceKey, Name: "a"}); err == nil {
		t.Error("a host of ftp")
	}
	if _, err := NewHost(HostConfig{Endpoint: Endpoint{URL: "http://x"}, Key: ed25519.PrivateKey{1}, Name: "a"}); err == nil {
		t.Error("a host without a key")
	}
}

// TestWillsAreOfTheirLink: each link's wills have an epoch of their own.
func TestWillsAreOfTheirLink(t *testing.T) {
	h := bareHost(t)
	var last *Stream
	for i := range 3 {
		s, err := h.Declare(StreamConfig{Name: fmt.Sprint(i), Class: wire.Event})
		if err != nil {
			t.Fatal(err)
		}
		last = s
		if err := h.SetWill(s, []byte("gone")); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.SetWill(last, nil); err != nil {
		t.Fatal(err)
	}
	h.adopt(h.loop.now())
	first, second := h.wills(), h.wills()
	if len(first) != 2 || len(second) != 2 || string(first[0].Frame) == string(second[0].Frame) {
		t.Errorf("wills %v and %v", first, second)
	}
	header, payload, err := wire.ParseData(first[0].Frame[2:])
	if err != nil || !header.Will || header.Seq != 1 || string(payload) != "gone" {
		t.Errorf("will %+v %q, %v", header, payload, err)
	}
	if h.SetWill(last, make([]byte, maxPayload)) != nil || h.SetWill(h.known[0], make([]byte, maxPayload)) != nil {
		t.Error("two large wills were refused")
	}
	if h.SetWill(h.known[1], make([]byte, maxPayload)) == nil {
		t.Error("wills are not bounded together")
	}
}

// countingKeeper counts how often it is asked for the past, of which it has none.
type countingKeeper struct{ reads int }

func (k *countingKeeper) Keep(StreamConfig, wire.Header, []byte) error { return nil }

func (k *countingKeeper) Read(map[string]wire.Position, time.Duration) Past {
	k.reads++
	return new(fixedPast)
}

// A viewer that asks for another transfer without end has the disk looked at once a second.
func TestTransfersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, k := bareHost(t), &countingKeeper{}
		h.cfg.Keeper, h.keeps = k, true
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "x"})
		for i := range uint32(1000) {
			time.Sleep(10 * time.Millisecond)
			h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.History, Transfer: signal.FormatEpoch(i + 1), Routed: []uint32{1}})
		}
		h.conns["x"].endPast()
		if most := pastBurst + 10*pastRate; k.reads < 10*pastRate || k.reads > most {
			t.Errorf("%d transfers began in ten seconds, want %d at most", k.reads, most)
		}
	})
}
