package peer

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestRefusedEventsGoSoon: what found no room on the link goes when there is
// some again, long before it would be taken for lost.
func TestRefusedEventsGoSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		g, far := ear(0, ladder.WS)
		h.link.up(g)
		s, err := h.Declare(StreamConfig{Name: "log", Class: wire.Event})
		if err != nil {
			t.Fatal(err)
		}
		for range 16 {
			if err := s.Publish(1, make([]byte, 15_000)); err != nil {
				t.Fatal(err)
			}
			h.step(h.loop.now())
		}
		const viewers = 4 // their flights are twice the room for Events
		for i := range uint64(viewers) {
			h.linkSignal(h.loop.now(), i+1, signal.Message{Type: signal.Open, ID: fmt.Sprint(i), From: "start"})
		}
		if g.carrier.Stats().Drops[carrier.QueueFull] == 0 {
			t.Fatal("the link had room for all")
		}
		var carriers sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		got := 0
		carriers.Go(func() { _ = g.carrier.Run(ctx, func([]byte) {}) })
		carriers.Go(func() { _ = far.Run(ctx, func(packet []byte) { got += ownBatches(packet) }) })
		for end := h.loop.now() + 300*time.Millisecond; h.loop.now() < end; {
			time.Sleep(max(h.step(h.loop.now())-h.loop.now(), minSleep))
		}
		synctest.Wait()
		if got != viewers*16 {
			t.Errorf("%d batches came, want %d", got, viewers*16)
		}
		cancel()
		carriers.Wait()
	})
}

// ownBatches counts a packet's Data frames that are for one Conn.
func ownBatches(packet []byte) (n int) {
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			return n
		}
		if packet = rest; f.Type == wire.TypeData && f.Hop.Conn != 0 {
			n++
		}
	}
	return n
}
