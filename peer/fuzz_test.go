package peer

import (
	"testing"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// FuzzPackets hands any packet to both ends, on their link and on a direct
// path: whatever comes, they go on.
func FuzzPackets(f *testing.F) {
	add := func(kind wire.Type, hop wire.Hop, body []byte) { f.Add(wire.AppendFrame(nil, kind, hop, body)) }
	for _, m := range []signal.Message{
		{Type: signal.Open, ID: "b", Want: []string{"*"}, Positions: map[uint32]string{1: "00000007:3"}},
		{Type: signal.Accept, ID: "a", Epoch: "00000008"},
		description(7, 3), description(8, 0),
		{Type: signal.Bye, Final: map[uint32]string{1: "00000007:9"}},
		{Type: signal.Close},
		{Type: signal.Away},
		{Type: signal.Candidate, Attempt: 1},
		{Type: signal.State, Device: []byte(`{"state":"offline"}`)},
	} {
		body, err := m.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		add(wire.TypeSignal, wire.Hop{Conn: 1}, body)
	}
	add(wire.TypeData, wire.Hop{Conn: 1}, append(wire.AppendHeader(nil, eventAt(7, 3)), 1))
	add(wire.TypeData, wire.Hop{Conn: 1, Retained: true, Held: 5}, append(wire.AppendHeader(nil, liveAt(7, 3)), 1))
	add(wire.TypeGap, wire.Hop{Conn: 1}, wire.AppendGap(nil, wire.Gap{Stream: 1, Epoch: 7, From: 1, Reason: 2}))
	add(wire.TypeAck, wire.Hop{Conn: 1}, wire.AppendAck(nil, 0, []wire.Position{{Stream: 1, Epoch: 7, Seq: 1, Received: []wire.Range{{From: 3, To: 4}}}}))
	f.Add(wire.AppendProbe(nil, wire.Hop{Conn: 1}, wire.Probe{ID: 1, Full: true}))
	f.Add(wire.AppendEcho(nil, wire.Hop{Conn: 1}, wire.Echo{Probe: wire.Probe{ID: 1}, T3: 1}))

	f.Fuzz(func(t *testing.T, packet []byte) {
		c := bareConn(t, Events{})
		c.end = func(error) {}
		h := bareHost(t)
		s, err := h.Declare(StreamConfig{Name: "event", Class: wire.Event})
		if err != nil {
			t.Fatal(err)
		}
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "a"})
		for range 5 {
			_ = s.Publish(1, nil)
			h.step(h.loop.now())
		}
		toViewer, toDevice := directEar(c), directEar(h.conns["a"])
		for range 2 {
			c.handle(c.link.leg, packet)
			c.handle(toViewer, packet)
			h.handle(h.link.leg, packet)
			h.handle(toDevice, packet)
			c.step(c.loop.now())
			h.step(h.loop.now())
		}
	})
}

// directEar is a direct path of a Conn that is open already.
func directEar(conn any) *leg {
	g := &leg{id: 99, carrier: &sink{rung: ladder.UDP}, conn: conn}
	g.attempt = &attempt{leg: g, ready: true}
	return g
}
