// Package carriertest is the contract of package carrier as tests. Every
// carrier passes it, over real sockets:
//
//	func TestContract(t *testing.T) {
//		carriertest.Run(t, carriertest.Harness{Connect: connect, Codes: true})
//	}
package carriertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
	"go.uber.org/goleak"
)

// Harness makes connected carriers of one kind.
type Harness struct {
	// Connect returns the two ends of a new path; neither Run was called yet.
	// What it starts ends with the test.
	Connect func(t *testing.T) (a, b carrier.Carrier)

	// Codes says that Close carries its code and reason to the other end.
	Codes bool
}

// patience bounds every wait of the suite. Far above what anything takes.
const patience = 20 * time.Second

// Run runs the whole suite.
func Run(t *testing.T, h Harness) {
	cases := []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"every class arrives, both ways", everyClass},
		{"events keep their order", eventOrder},
		{"the largest frames arrive", bigFrames},
		{"control frames arrive, each of them", control},
		{"live frames arrive, hurried or not", hurried},
		{"a receiver that does not read harms only itself", deafReceiver},
		{"a full event queue refuses", refuses},
		{"closing tells the code", closes},
		{"closing sends what is queued first", flushes},
		{"closing from within receive", closesWithin},
		{"closing before Run", closesBefore},
		{"closing towards a receiver that does not read", closesDeaf},
		{"Run ends with its context", endsWithContext},
		{"after the end nothing is accepted", refusesAfter},
		{"frames beyond a packet are refused", refusesHuge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			// In a test of its own, so that its cleanups come before the check.
			t.Run("check", func(t *testing.T) { c.test(t, h) })
		})
	}
}

// end is one carrier running, and what it received.
type end struct {
	carrier.Carrier
	frames chan frame
	done   chan error
	cancel context.CancelFunc
}

// frame is a received frame, copied out of its packet.
type frame struct {
	kind wire.Type
	body []byte
}

// start runs c until the test ends.
func start(t *testing.T, c carrier.Carrier) *end {
	e := &end{Carrier: c, frames: make(chan frame, 1<<16)}
	e.run(t, func(packet []byte) { e.open(t, packet) })
	return e
}

// startWith runs c with another receiver.
func startWith(t *testing.T, c carrier.Carrier, receive func([]byte)) *end {
	e := &end{Carrier: c}
	e.run(t, receive)
	return e
}

func (e *end) run(t *testing.T, receive func([]byte)) {
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel, e.done = cancel, make(chan error, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		e.done <- e.Run(ctx, receive)
	}()
	t.Cleanup(func() { cancel(); <-over })
}

// open takes a packet apart: it must hold whole frames and nothing else.
func (e *end) open(t *testing.T, packet []byte) {
	if len(packet) == 0 || len(packet) > wire.MaxPacket {
		t.Errorf("a packet of %d bytes", len(packet))
	}
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			t.Errorf("a packet does not end with a frame: %v", err)
			return
		}
		packet = rest
		if !e.acknowledge(f) {
			e.frames <- frame{f.Type, append([]byte(nil), f.Body...)}
		}
	}
}

// acknowledge deals with what carriers send one another, which is for the
// owner of a path to answer: marks (protocol section 6.9).
func (e *end) acknowledge(f wire.Frame) bool {
	switch f.Type {
	case wire.TypeReceipt: // the carriers' own business (section 7.5), passed on as proof of the path
		return true
	case wire.TypeProbe:
		if p, err := wire.ParseProbe(f.Body); err == nil && p.ID >= carrier.FirstMark {
			e.Send(carrier.Frame{Bytes: wire.AppendEcho(nil, f.Hop, wire.Echo{Probe: p}), Control: true})
			return true
		}
	case wire.TypeEcho:
		p, err := wire.ParseEcho(f.Body)
		return err == nil && p.ID >= carrier.FirstMark
	}
	return false
}

// next is the next frame that came.
func (e *end) next(t *testing.T) frame {
	t.Helper()
	select {
	case f := <-e.frames:
		return f
	case err := <-e.done:
		t.Fatalf("the path ended instead of bringing a frame: %v", err)
	case <-time.After(patience):
		t.Fatal("no frame came")
	}
	return frame{}
}

// wait is why Run returned.
func (e *end) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-e.done:
		return err
	case <-time.After(patience):
		t.Fatal("Run did not return")
	}
	return nil
}

// newFrame makes a frame of one class whose body says which it is.
func newFrame(class wire.Class, n, size int) carrier.Frame {
	kind := wire.TypeData
	if class == wire.Signal {
		kind = wire.TypeSignal
	}
	body := fmt.Appendf(nil, "%v %d", class, n)
	body = append(body, make([]byte, max(0, size-len(body)))...)
	return carrier.Frame{Bytes: wire.AppendFrame(nil, kind, wire.Hop{}, body), Class: class, Stream: 1}
}

// send must be accepted.
func send(t *testing.T, c carrier.Carrier, f carrier.Frame) {
	t.Helper()
	if !c.Send(f) {
		t.Fatalf("a %v frame was refused: %+v", f.Class, c.Stats())
	}
}

// sendPatiently sends what may have to wait for room.
func sendPatiently(t *testing.T, c carrier.Carrier, f carrier.Frame) {
	t.Helper()
	for deadline := time.Now().Add(patience); !c.Send(f); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a %v frame was refused for %v: %+v", f.Class, patience, c.Stats())
		}
	}
}
