package rtc

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/pion/webrtc/v4"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestTrickled connects two ends whose descriptions hold no candidate; those
// of the device come before its description.
func TestTrickled(t *testing.T) {
	var mu sync.Mutex
	heard := map[string][]string{}
	viewer, device := makeEnds(t, onLoopback)
	offer, err := viewer.Offer()
	check(t, err)
	offer, ours := splitCandidates(offer)
	answer, err := device.Answer(offer)
	check(t, err)
	answer, theirs := splitCandidates(answer)
	for _, c := range theirs {
		check(t, viewer.AddCandidate("candidate:"+c.text, "0"))
	}
	check(t, viewer.SetAnswer(answer))
	for _, c := range ours {
		check(t, device.AddCandidate(c.text, ""))
	}
	check(t, device.AddCandidate("", "0"))
	for name, p := range map[string]*Peer{"viewer": viewer, "device": device} {
		p.on.Candidate = func(text, mid string) {
			mu.Lock()
			defer mu.Unlock()
			heard[name] = append(heard[name], text)
		}
		run(t, p)
	}
	waitReady(t, viewer, device)
	mu.Lock()
	defer mu.Unlock()
	for name, candidates := range heard {
		if last := candidates[len(candidates)-1]; last != "" {
			t.Errorf("%s told %q last, not the end of candidates", name, last)
		}
	}
}

func TestRemoteCandidatesAreBounded(t *testing.T) {
	viewer, device := pair(t)
	run(t, viewer)
	run(t, device)
	var err error
	for n := range 2 * maxCandidates {
		if err = device.AddCandidate(fmt.Sprintf("1 1 udp 1 127.0.0.1 %d typ host", 40000+n), "0"); err != nil {
			break
		}
	}
	if !errors.Is(err, errManyCandidates) || device.remote.count() != maxCandidates {
		t.Errorf("%d candidates, %v", device.remote.count(), err)
	}
	if err := device.AddCandidate(strings.Repeat("x", wire.MaxCandidate+1), "0"); err == nil {
		t.Error("a candidate of more than 1 KiB was taken")
	}
}

func TestCandidatesInADescriptionAreBounded(t *testing.T) {
	viewer, device := makeEnds(t, onLoopback)
	run(t, viewer)
	run(t, device)
	offer, err := viewer.Offer()
	check(t, err)
	offer += strings.Repeat("a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n", 100)
	if _, err := device.Answer(offer); err != nil || device.remote.count() != maxCandidates {
		t.Errorf("%d candidates, %v", device.remote.count(), err)
	}
}

func TestExtraChannelEndsIt(t *testing.T) {
	viewer, device := pair(t)
	run(t, viewer)
	ended := run(t, device)
	waitReady(t, viewer, device)
	if _, err := viewer.pc.CreateDataChannel("another", nil); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, errExtraChannel) {
		t.Errorf("Run returned %v", err)
	}
}

func TestDeviceIsDTLSClient(t *testing.T) {
	viewer, device := makeEnds(t, onLoopback)
	run(t, viewer)
	run(t, device)
	offer, err := viewer.Offer()
	check(t, err)
	answer, err := device.Answer(offer)
	check(t, err)
	t.Logf("the offer has %d bytes, the answer %d", len(offer), len(answer))
	for _, want := range []string{"a=setup:active", "a=sctp-init:", "a=max-message-size:65536"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer lacks %q", want)
		}
	}
}

func TestNoUsableAddress(t *testing.T) {
	t.Parallel()
	cfg := onLoopback
	cfg.Filter = func(netip.Addr) bool { return false }
	viewer, device := makeEnds(t, cfg)
	introduce(t, viewer, device)
	run(t, viewer)
	if err := <-run(t, device); err == nil || !strings.Contains(err.Error(), "offered no address") {
		t.Errorf("Run returned %v", err)
	}
}

func TestBadDescriptionsAreRefused(t *testing.T) {
	_, device := makeEnds(t, onLoopback)
	if _, err := device.Answer("hello"); err == nil {
		t.Error("it was answered")
	}
	device.Close(wire.CodeByName("malformed"), "no description")
	var closed *carrier.CloseError
	if err := <-run(t, device); !errors.As(err, &closed) {
		t.Errorf("Run returned %v", err)
	}
}

func TestRungOf(t *testing.T) {
	relayed := func(over uint16) *webrtc.ICECandidate {
		return &webrtc.ICECandidate{Typ: webrtc.ICECandidateTypeRelay, Protocol: webrtc.ICEProtocolUDP, RelatedPort: over}
	}
	cases := []struct {
		local *webrtc.ICECandidate
		want  ladder.Rung
	}{
		{&webrtc.ICECandidate{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolUDP}, ladder.UDP},
		{&webrtc.ICECandidate{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolTCP}, ladder.TCP},
		{relayed(50000), ladder.TurnUDP},
		{relayed(relatedTCP), ladder.TurnTCP},
		{relayed(relatedTLS), ladder.TurnTLS},
	}
	for _, c := range cases {
		if got := rungOf(c.local); got != c.want {
			t.Errorf("%v by %d: %v, want %v", c.local.Typ, c.local.RelatedPort, got, c.want)
		}
	}
}
