package peer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// runGreeted runs a Host until ctx ends, whose server says first, and nothing
// after it. It returns what the server heard, and Run's error.
func runGreeted(ctx context.Context, t *testing.T, first signal.Message, onState func(HostState)) (heard []string, err error) {
	t.Helper()
	h, err := NewHost(HostConfig{Endpoint: Endpoint{URL: "http://relay"}, Key: deviceKey, Name: "bench", OnState: onState})
	if err != nil {
		t.Fatal(err)
	}
	near, far, _ := peertest.Pair(peertest.Config{Rung: ladder.WS, Stream: true})
	served := make(chan struct{})
	h.link.dial = func(context.Context, *link, []byte) (carrier.Carrier, error) {
		go func() {
			defer close(served)
			_ = far.Run(context.Background(), func(packet []byte) { heard = append(heard, signalTypes(t, packet)...) })
		}()
		f, err := signalFrame(0, first)
		far.Send(f)
		return near, err
	}
	err = h.Run(ctx)
	<-served
	return heard, err
}

func signalTypes(t *testing.T, packet []byte) (types []string) {
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			t.Error(err)
			return types
		}
		packet = rest
		if f.Type != wire.TypeSignal {
			continue
		}
		m, err := signal.Parse(f.Body)
		if err != nil {
			t.Error(err)
		}
		types = append(types, m.Type)
	}
	return types
}

// TestGoodbyeBeforeWelcome: who said hello may be in already, and says bye.
func TestGoodbyeBeforeWelcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		heard, err := runGreeted(ctx, t, signal.Message{Type: signal.Challenge, Nonce: make([]byte, 32)}, nil)
		if err != nil || !slices.Equal(heard, []string{signal.Hello, signal.Bye}) {
			t.Errorf("the server heard %v; %v", heard, err)
		}
	})
}

// TestNoHelloAfterGoodbye: a challenge that comes behind the goodbye is not answered: the server would take the end of that
// link for a cut, and publish the wills.
func TestNoHelloAfterGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		g, _ := ear(1, ladder.WS)
		h.link.next = g
		h.bye()
		challenge, err := signalFrame(0, signal.Message{Type: signal.Challenge, Nonce: make([]byte, 32)})
		if err != nil {
			t.Fatal(err)
		}
		h.handle(g, challenge.Bytes)
		if queued := g.carrier.Stats().Queued; queued.Frames > 0 {
			t.Errorf("%d frames are sent to a server that has not heard of the device", queued.Frames)
		}
	})
}

// TestViewersTokenIsNoDevices: a server that takes the device for a viewer
// asks for no hello. The device is not linked then, and says why.
func TestViewersTokenIsNoDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var states []HostState
		heard, err := runGreeted(t.Context(), t, signal.Message{Type: signal.Welcome, Role: "viewer"}, func(s HostState) { states = append(states, s) })
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Code != "forbidden" || !strings.Contains(err.Error(), "tokens/device") {
			t.Errorf("Run: %v", err)
		}
		if len(states) != 1 || states[0].Linked || !errors.As(states[0].Err, &refused) || len(heard) > 0 {
			t.Errorf("states %+v; the server heard %v", states, heard)
		}
	})
}

// TestHellosAreCounted: so the server knows which of two was said later.
func TestHellosAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t) // which has said one
		g, server := ear(0, ladder.SSE)
		h.hello(g, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { _ = g.carrier.Run(ctx, func([]byte) {}) }()
		var heard signal.Message
		_ = server.Run(ctx, func(packet []byte) {
			f, _, err := wire.NextFrame(packet)
			if err == nil {
				heard, err = signal.Parse(f.Body)
			}
			if err != nil {
				t.Error(err)
			}
		})
		if heard.Type != signal.Hello || heard.Hellos != 2 || heard.Epoch != signal.FormatEpoch(h.epoch) {
			t.Errorf("the server heard %+v", heard)
		}
	})
}
