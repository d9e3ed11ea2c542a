package rtc

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/carriertest"
	"github.com/telepath-iot/telepath/peer/ladder"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	carriertest.Run(t, carriertest.Harness{Connect: func(t *testing.T) (a, b carrier.Carrier) {
		viewer, device := pair(t)
		waitReady(t, viewer, device)
		return viewer, device
	}})
}

// onLoopback keeps tests off every real network.
var onLoopback = Config{IncludeLoopback: true, NoMDNS: true, Filter: netip.Addr.IsLoopback}

// pair makes two ends that have one another's descriptions.
func pair(t *testing.T) (viewer, device *Peer) {
	t.Helper()
	viewer, device = makeEnds(t, onLoopback)
	introduce(t, viewer, device)
	return viewer, device
}

func introduce(t *testing.T, viewer, device *Peer) {
	t.Helper()
	offer, err := viewer.Offer()
	check(t, err)
	answer, err := device.Answer(offer)
	check(t, err)
	check(t, viewer.SetAnswer(answer))
}

func makeEnds(t *testing.T, cfg Config) (viewer, device *Peer) {
	t.Helper()
	viewer, err := NewOfferer(cfg, Events{})
	check(t, err)
	device, err = NewAnswerer(cfg, Events{})
	check(t, err)
	return viewer, device
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs p until the test ends.
func run(t *testing.T, p *Peer) (done <-chan error) { return runWith(t, p, func([]byte) {}) }

func runWith(t *testing.T, p *Peer, receive func(packet []byte)) (done <-chan error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		ended <- p.Run(ctx, receive)
	}()
	t.Cleanup(func() { cancel(); <-over })
	return ended
}

func waitReady(t *testing.T, peers ...*Peer) {
	t.Helper()
	for _, p := range peers {
		select {
		case <-p.Ready():
		case <-time.After(20 * time.Second):
			t.Fatal("the channels did not open")
		}
	}
}

func TestRungAndPair(t *testing.T) {
	viewer, device := pair(t)
	run(t, viewer)
	run(t, device)
	waitReady(t, viewer, device)
	for _, p := range []*Peer{viewer, device} {
		if p.Rung() != ladder.UDP || p.Pair() == "" {
			t.Errorf("rung %v, pair %q", p.Rung(), p.Pair())
		}
		if from := p.LocalAddr(); !from.IsValid() || !strings.Contains(p.Pair(), from.String()) {
			t.Errorf("from %v, pair %q", from, p.Pair())
		}
	}
}

// TestSetupTime prints what facts say about setting up; it is no bound.
func TestSetupTime(t *testing.T) {
	for range 5 {
		begin := time.Now()
		viewer, device := makeEnds(t, onLoopback)
		run(t, viewer)
		run(t, device)
		made := time.Since(begin)
		offer, err := viewer.Offer()
		check(t, err)
		offered := time.Since(begin)
		answer, err := device.Answer(offer)
		check(t, err)
		answered := time.Since(begin)
		check(t, viewer.SetAnswer(answer))
		waitReady(t, viewer, device)
		t.Logf("made %v, offered %v, answered %v, ready %v", made, offered, answered, time.Since(begin))
	}
}

// TestPlainOffer: an offer with all that pion writes is taken as ours is, which says the same without.
func TestPlainOffer(t *testing.T) {
	viewer, device := makeEnds(t, onLoopback)
	run(t, viewer)
	run(t, device)
	made, err := viewer.pc.CreateOffer(nil)
	check(t, err)
	plain, err := viewer.describe(made)
	check(t, err)
	short := withoutIdle(plain)
	for _, idle := range []string{"a=msid-semantic:", "a=extmap-allow-mixed\r\n", "a=sendrecv\r\n", " ufrag "} {
		if !strings.Contains(plain, idle) || strings.Contains(short, idle) {
			t.Errorf("%q is not what the two differ in:\n%s\n%s", idle, plain, short)
		}
	}
	answer, err := device.Answer(plain)
	check(t, err)
	check(t, viewer.SetAnswer(answer))
	waitReady(t, viewer, device)
}
