package peer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// sink is a carrier that sends to nobody.
type sink struct {
	rung   ladder.Rung
	frames int
}

func (s *sink) Run(context.Context, func([]byte)) error { return nil }
func (s *sink) Send(carrier.Frame) bool                 { s.frames++; return true }
func (s *sink) Rung() ladder.Rung                       { return s.rung }
func (s *sink) Stats() carrier.Stats                    { return carrier.Stats{} }
func (s *sink) Close(wire.Code, string)                 {}

// BenchmarkPublish is the device's way from Publish to frames in the queues of
// a relay and of that many direct paths, a batch of 100 bytes each.
func BenchmarkPublish(b *testing.B) {
	for _, direct := range []int{0, 1, 8} {
		b.Run(fmt.Sprintf("direct=%d", direct), func(b *testing.B) { benchmarkPublish(b, direct) })
	}
}

func benchmarkPublish(b *testing.B, direct int) {
	h, err := NewHost(HostConfig{Endpoint: Endpoint{URL: "http://relay"}, Key: deviceKey, Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	s, err := h.Declare(StreamConfig{Name: "live", Class: wire.Live})
	if err != nil {
		b.Fatal(err)
	}
	link := &sink{rung: ladder.WS}
	h.link.up(&leg{carrier: link, said: true})
	h.greeted(signal.Message{})
	h.step(h.loop.now())
	h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "relayed"})
	for i := range direct {
		h.linkSignal(h.loop.now(), uint64(i+2), signal.Message{Type: signal.Open, ID: fmt.Sprint(i)})
		c := h.conns[fmt.Sprint(i)]
		c.unbind(h.loop.now())
		t := &attempt{ready: true}
		t.leg = &leg{id: h.nextLeg(), carrier: &sink{}, conn: c, attempt: t, proved: true}
		c.paths.up(h.loop.now(), t.leg)
		c.paths.ladder.Proved(h.loop.now(), t.leg.id, time.Millisecond)
	}
	payload := make([]byte, 100)
	before := link.frames
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Publish(1, payload)
		h.step(h.loop.now())
	}
	if link.frames-before < b.N {
		b.Fatalf("%d batches, %d frames", b.N, link.frames-before)
	}
}

// BenchmarkReceive is the viewer's way from a packet to the callback.
func BenchmarkReceive(b *testing.B) {
	for _, class := range []wire.Class{wire.Live, wire.Event} {
		b.Run(class.String(), func(b *testing.B) { benchmarkReceive(b, class) })
	}
}

func benchmarkReceive(b *testing.B, class wire.Class) {
	got := 0
	c := bareConn(b, Events{Batch: func(Received) { got++ }, Path: func(Path) {}})
	h := liveAt(7, 0)
	if class == wire.Event {
		h = eventAt(7, 0)
	}
	payload := make([]byte, 100)
	var packet, body []byte
	b.ReportAllocs()
	for b.Loop() {
		h.Seq++
		body = append(wire.AppendHeader(body[:0], h), payload...)
		packet = wire.AppendFrame(packet[:0], wire.TypeData, wire.Hop{Conn: viewNumber}, body)
		c.handle(c.link.leg, packet)
		c.step(c.loop.now())
	}
	if got != int(h.Seq) {
		b.Fatalf("%d of %d came", got, h.Seq)
	}
}
