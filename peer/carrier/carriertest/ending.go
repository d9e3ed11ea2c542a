package carriertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// swift is how long an ending may take: a second, and room for a busy machine.
const swift = 3 * time.Second

func isClose(err error, code, reason string, remote bool) bool {
	var closed *carrier.CloseError
	return errors.As(err, &closed) && closed.Code.Name == code && closed.Reason == reason && closed.Remote == remote
}

func (h Harness) checkClosedBy(t *testing.T, err error, code, reason string) {
	t.Helper()
	switch {
	case h.Codes && !isClose(err, code, reason, true):
		t.Errorf("the other end learned %v", err)
	case !h.Codes && !errors.Is(err, carrier.ErrClosed):
		t.Errorf("the other end learned %v, want ErrClosed", err)
	}
}

func closes(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a, b := start(t, ca), start(t, cb)
	send(t, a, newFrame(wire.Call, 0, 10))
	b.next(t)
	a.Close(wire.CodeByName("taken-over"), "the same key came again")
	a.Close(wire.CodeByName("internal"), "the first reason counts")
	if err := a.wait(t); !isClose(err, "taken-over", "the same key came again", false) {
		t.Errorf("who closed it learned %v", err)
	}
	h.checkClosedBy(t, b.wait(t), "taken-over", "the same key came again")
}

func closesWithin(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a := start(t, ca)
	b := startWith(t, cb, func([]byte) { cb.Close(wire.CodeByName("malformed"), "no frame") })
	send(t, a, newFrame(wire.Call, 0, 10))
	if err := b.wait(t); !isClose(err, "malformed", "no frame", false) {
		t.Errorf("who closed it learned %v", err)
	}
	h.checkClosedBy(t, a.wait(t), "malformed", "no frame")
}

func closesBefore(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a := start(t, ca)
	cb.Close(wire.CodeByName("too-many"), "")
	if err := startWith(t, cb, func([]byte) {}).wait(t); !isClose(err, "too-many", "", false) {
		t.Errorf("Run after Close: %v", err)
	}
	h.checkClosedBy(t, a.wait(t), "too-many", "")
}

func closesDeaf(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	deaf(t, cb)
	a := start(t, ca)
	flood(t, a)
	before := time.Now()
	a.Close(wire.CodeByName("silent"), "")
	asked := time.Since(before)
	if err := a.wait(t); !isClose(err, "silent", "", false) {
		t.Errorf("who closed it learned %v", err)
	}
	if ended := time.Since(before); asked > 100*time.Millisecond || ended > swift {
		t.Errorf("Close took %v, Run another %v", asked, ended-asked)
	}
}

func endsWithContext(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a, b := start(t, ca), start(t, cb)
	send(t, a, newFrame(wire.Call, 0, 10))
	b.next(t)
	before := time.Now()
	a.cancel()
	if err := a.wait(t); !errors.Is(err, context.Canceled) {
		t.Errorf("Run returned %v", err)
	}
	if took := time.Since(before); took > swift {
		t.Errorf("Run took %v to return", took)
	}
	if err := b.wait(t); !errors.Is(err, carrier.ErrClosed) {
		t.Errorf("the other end learned %v, want ErrClosed", err)
	}
}

func refusesAfter(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a := start(t, ca)
	start(t, cb)
	a.Close(wire.CodeByName("draining"), "")
	a.wait(t)
	before := a.Stats().Drops[carrier.NoPath]
	if a.Send(newFrame(wire.Event, 0, 10)) {
		t.Error("a frame was accepted after the end")
	}
	if got := a.Stats().Drops[carrier.NoPath]; got != before+1 {
		t.Errorf("it was counted %d times", got-before)
	}
	if queued := a.Stats().Queued; queued != (carrier.Depth{}) {
		t.Errorf("after the end %+v wait", queued)
	}
}

func refusesHuge(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a := start(t, ca)
	start(t, cb)
	for _, bytes := range [][]byte{nil, make([]byte, wire.MaxPacket+1)} {
		if a.Send(carrier.Frame{Bytes: bytes, Class: wire.Event}) {
			t.Errorf("a frame of %d bytes was accepted", len(bytes))
		}
	}
	if got := a.Stats().Drops[carrier.Limit]; got != 2 {
		t.Errorf("%d were counted as over the limit", got)
	}
}
