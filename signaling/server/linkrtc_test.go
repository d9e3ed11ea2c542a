package server

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// TestChannelsPassTheGates: an offer is let in, or not, as other links are.
func TestChannelsPassTheGates(t *testing.T) {
	s := start(t, Config{})
	good, origin := "Bearer "+s.token(t, auth.Viewer), "https://elsewhere.example"
	for _, c := range []struct {
		name, body, token, kind, origin string
		status                          int
		code                            string
	}{
		{"without a token", "v=0", "", sdpType, "", 403, "bad-origin"},
		{"with a wrong one", "v=0", "Bearer nonsense", sdpType, "", 401, "unauthorized"},
		{"from another site", "v=0", good, sdpType, origin, 403, "bad-origin"},
		{"not SDP", "{}", good, "application/json", "", 400, "malformed"},
		{"nonsense", "v=0\r\nnonsense", good, sdpType, "", 400, "malformed"},
		{"audio", "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n", good, sdpType, "", 400, "malformed"},
		{"too large", strings.Repeat("a", wire.MaxSDP+1), good, sdpType, "", 413, "too-large"},
	} {
		headers := []string{"Content-Type", c.kind}
		if c.token != "" {
			headers = append(headers, "Authorization", c.token)
		}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		status, body, _ := s.ask(t, http.MethodPost, "/v1/link/rtc", c.body, headers...)
		if status != c.status || body["code"] != c.code {
			t.Errorf("%s: %d %v", c.name, status, body)
		}
	}
	if now, past := s.channels.openings.snapshot(); now != 0 || past[opened] != 0 {
		t.Errorf("%d are opening, %d have opened", now, past[opened])
	}
}

// TestChannelsTellCodes: why a link ends matters for when to come again.
func TestChannelsTellCodes(t *testing.T) {
	s := start(t, Config{})
	key := newKey(t)
	first := s.dialRung(t, ladder.RelayUDP, auth.Device, nil).hello(key, "rig").joined(key)
	s.dialRung(t, ladder.RelayUDP, auth.Device, nil).hello(key, "rig").joined(key)
	<-first.over
	if e, ok := first.err.(*carrier.CloseError); !ok || e.Code.Name != "taken-over" || !e.Remote {
		t.Errorf("the first link ended with %v", first.err)
	}
}

// TestOpeningsAreBounded: whoever sends offers and never comes takes a few places, for a while.
func TestOpeningsAreBounded(t *testing.T) {
	var o openings
	here := netip.MustParseAddr("192.0.2.7")
	for range maxOpeningsPerAddress {
		if !o.enter(here) {
			t.Fatal("refused too early")
		}
	}
	if o.enter(here) {
		t.Error("one address takes more than its share")
	}
	if !o.enter(netip.MustParseAddr("192.0.2.8")) {
		t.Error("another address is refused")
	}
	o.leave(here, failed)
	if !o.enter(here) {
		t.Error("a place that was given back is lost")
	}
	for o.total < maxOpenings {
		o.enter(netip.MustParseAddr("127.0.0.1"))
	}
	if o.enter(netip.MustParseAddr("192.0.2.9")) {
		t.Error("there is no bound in all")
	}
}

// TestStalledChannelsHarmNobody: a viewer that stops reading costs the others nothing, and is sent the newest when it reads again.
func TestStalledChannelsHarmNobody(t *testing.T) {
	s := start(t, Config{})
	d := s.deviceOn(t, ladder.WS, "rig")
	stalled := s.open(t, ladder.RelayUDP, http.Header{
		"Authorization": {"Bearer " + s.token(t, auth.Viewer)}, "Telepath-Open": {encodedOpen(t, "rig")},
	})
	ctx, leave := context.WithCancel(t.Context())
	read, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		_ = stalled.Run(ctx, func([]byte) { <-read })
	}()
	defer func() { close(read); leave(); <-over }()
	d.accept(1, 2)
	v := s.viewerOn(t, ladder.RelayUDP, "rig")
	d.accept(1, 2)
	v.nextSignal(signal.Accept)
	const samples = 500
	payload := strings.Repeat("x", 1000)
	begun := time.Now()
	for seq := range uint64(samples) {
		d.publish(wire.Hop{}, 1, seq+1, payload)
		time.Sleep(time.Millisecond)
	}
	published := time.Since(begun)
	var last uint64
	for last < samples {
		h, _, _ := v.nextData()
		last = h.Seq
	}
	t.Logf("published in %v, the last sample came after %v", published, time.Since(begun))
	if late := time.Since(begun) - published; late > 2*time.Second {
		t.Errorf("the last sample came %v after it was published", late)
	}
}

// TestNobodyComes: an answer that nobody takes up is given up.
func TestNobodyComes(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the time of an opening")
	}
	s := start(t, Config{})
	p, err := rtc.NewOfferer(rtc.Config{NoMDNS: true}, rtc.Events{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.Close(wire.CodeByName("internal"), ""); _ = p.Run(context.Background(), func([]byte) {}) }()
	offer, err := p.Offer()
	if err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest(http.MethodPost, s.url+"/v1/link/rtc", strings.NewReader(offer))
	r.Header.Set("Authorization", "Bearer "+s.token(t, auth.Viewer))
	r.Header.Set("Content-Type", sdpType)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	body, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if answer.StatusCode != http.StatusCreated || !strings.Contains(string(body), "a=ice-lite") {
		t.Fatalf("%s: %s", answer.Status, body)
	}
	if now, _ := s.channels.openings.snapshot(); now != 1 {
		t.Errorf("%d are opening", now)
	}
	deadline := time.Now().Add(openTime + patience)
	for now := 1; now > 0; now, _ = s.channels.openings.snapshot() {
		if time.Now().After(deadline) {
			t.Fatal("it is still opening")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
