package carrier

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/telepath-iot/telepath/peer/wire"
)

func TestBufferWakesTheRightWriter(t *testing.T) {
	b := NewBuffer(Limits{}, SetOf(LaneLive), SetOf(LaneEvent, LaneSignal))
	b.Send(live("live", 1))
	select {
	case <-b.Tap(1).Ready():
		t.Error("a Live frame woke the writer of Events")
	case <-b.Tap(0).Ready():
	}
	var batch Batch
	if !b.Tap(0).Take(100, &batch) || string(batch.Packet) != "live" {
		t.Errorf("got %q", batch.Packet)
	}
}

func TestBufferLosesNoWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const senders, each = 8, 200
		b := NewBuffer(Limits{}, AllLanes)
		var wg sync.WaitGroup
		var batch Batch
		for range senders {
			wg.Go(func() {
				for range each {
					b.Send(frame(wire.Live, "x", 1, 0))
				}
			})
		}
		for got := 0; got < senders*each; {
			<-b.Tap(0).Ready() // a lost one is a deadlock, which synctest reports
			for b.Tap(0).Take(10, &batch) {
				got += len(batch.Frames)
			}
		}
		wg.Wait()
	})
}

func TestSealedBuffer(t *testing.T) {
	b := NewBuffer(Limits{}, AllLanes)
	b.Send(live("waits", 1))
	b.Seal()
	if b.Send(live("late", 1)) {
		t.Error("a sealed buffer accepted a frame")
	}
	if depth, _ := b.Snapshot(); depth.Frames != 1 {
		t.Errorf("sealing changed what waits: %+v", depth)
	}
	b.Close()
	if depth, drops := b.Snapshot(); depth.Frames != 0 || drops[NoPath] != 2 {
		t.Errorf("closed: %+v, drops %v", depth, drops)
	}
}
