package server

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/ws"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/signaling/auth"
)

func TestGateCountsConnections(t *testing.T) {
	g := newGate(Limits{Connections: 30, ConnectionsPerAddress: 2}.orDefault(), nil)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	from := func(addr netip.Addr) *http.Request {
		return &http.Request{RemoteAddr: netip.AddrPortFrom(addr, 1).String()}
	}
	entered := 0
	var places []*place // of a
	for range 100 {
		if p := g.enter(a); p != nil {
			entered++
			places = append(places, p)
		}
		if crowded := g.crowded(from(a)); crowded != (entered > 2) {
			t.Fatalf("crowded %v with %d connections", crowded, entered)
		}
	}
	if entered != 2+spare {
		t.Fatalf("one address has %d connections", entered)
	}
	for g.enter(b) != nil {
		entered++
	}
	for range 100 { // this machine's own have no limit of their own, but that of all
		if g.enter(netip.IPv6Loopback()) != nil {
			entered++
		}
	}
	if entered != 30+spare {
		t.Fatalf("%d connections in all", entered)
	}
	for _, p := range places {
		p.leave()
		p.leave() // is no other's
	}
	if n := g.count(); n != 30+spare-len(places) || g.crowded(from(a)) || g.enter(a) == nil {
		t.Fatalf("places are not given back: %d are taken", n)
	}
}

// TestGateCountsNetworks: who has one address of an IPv6 /64 has all of them.
func TestGateCountsNetworks(t *testing.T) {
	g := newGate(Limits{ConnectionsPerAddress: 4, RequestsPerSecond: 5}.orDefault(), nil)
	own := func(i int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, byte(i), 15: byte(i)})
	}
	from := func(addr netip.Addr) *http.Request {
		return &http.Request{RemoteAddr: netip.AddrPortFrom(addr, 1).String()}
	}
	var places []*place
	for i := range 4 {
		if places = append(places, g.enter(own(i))); places[i] == nil || g.crowded(from(own(i))) {
			t.Fatalf("connection %d of a network is refused", i+1)
		}
	}
	places = append(places, g.enter(own(4)))
	if !g.crowded(from(own(4))) || g.enterLink(own(5), false) != nil || g.crowded(from(netip.MustParseAddr("2001:db8:0:2::1"))) {
		t.Error("the fifth of a /64 is let in, or another network is refused")
	}
	for _, p := range places {
		p.leave()
	}
	if len(g.open) != 0 {
		t.Errorf("places are not given back: %v", g.open)
	}
	asked := 0
	for i := range 100 {
		if g.mayAsk(from(own(i))) {
			asked++
		}
	}
	if asked > 22 {
		t.Errorf("%d requests at once from one /64", asked)
	}
}

// TestGateRemembersWhoAsks: many others who ask once do not make it forget who asks too much.
func TestGateRemembersWhoAsks(t *testing.T) {
	g := newGate(Limits{RequestsPerSecond: 1}.orDefault(), nil)
	asked := 0
	for i := range 4 * maxAddresses {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		g.mayAsk(&http.Request{RemoteAddr: netip.AddrPortFrom(addr, 1).String()})
		if i%64 == 0 && g.mayAsk(&http.Request{RemoteAddr: "192.0.2.1:1"}) {
			asked++
		}
	}
	if asked > 4+10 { // the burst, and what a slow machine lets by
		t.Errorf("%d requests of one address", asked)
	}
}

// TestFullOfIdleConnections: they make room, the oldest first, and who shows a token comes in; what carries a link stays.
func TestFullOfIdleConnections(t *testing.T) {
	s := start(t, Config{Limits: Limits{Connections: 6}}, func(s *Server) { s.gate.settle = 0 })
	d := s.device(t, newKey(t), "rig")
	for range 3 * (6 + spare) {
		conn := s.idle(t)
		if _, err := conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	v := s.viewer(t, "rig") // its link is opened with a token
	d.accept(1)
	status, _, _ := s.ask(t, "GET", "/v1/devices", "", "Authorization", "Bearer "+s.token(t, auth.Viewer))
	if n := s.gate.count(); status != http.StatusOK || n > 6 {
		t.Errorf("status %d, %d connections", status, n)
	}
	for _, l := range []*link{d.link, v} {
		select {
		case <-l.over:
			t.Errorf("a link went: %v", l.err)
		default:
		}
	}
}

// TestFullOfOpenLinks: where links need no token, they make room for who has one, and for nobody else.
func TestFullOfOpenLinks(t *testing.T) {
	s := start(t, Config{OpenRole: auth.Viewer, Limits: Limits{Connections: 4}}, func(s *Server) { s.gate.settle = 0 })
	var guests []*link
	for range 4 {
		guest := runLink(t, s.open(t, ladder.WS, http.Header{}))
		guest.nextSignal(signal.Welcome) // its connection counts as a link's
		guests = append(guests, guest)
	}
	if _, err := ws.Dial(t.Context(), ws.DialConfig{URL: s.url + "/v1/link", Header: http.Header{}}); err == nil {
		t.Error("one more comes in without a token")
	}
	s.dial(t, auth.Operator, nil).nextSignal(signal.Welcome)
	select {
	case <-guests[0].over:
	case <-time.After(patience):
		t.Error("nobody made room")
	}
	for _, l := range guests[1:] {
		select {
		case <-l.over:
			t.Errorf("another one went, too: %v", l.err)
		default:
		}
	}
}

// TestGuestsLinksOverHTTPMakeRoom: so do links that are no connection's alone, whatever becomes of the connection beneath them.
func TestGuestsLinksOverHTTPMakeRoom(t *testing.T) {
	s := start(t, Config{OpenRole: auth.Viewer, Limits: Limits{Connections: 4}}, func(s *Server) { s.gate.settle = 0 })
	conn := s.idle(t)
	for range 3 {
		conn.asks(t, "POST /v1/link/poll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nTelepath-Seq: 1\r\nTelepath-Link: "+someID()+"\r\n\r\n")
	}
	polls := sort{auth.Viewer, ladder.Poll}
	if n := s.clients.count()[polls]; n != 3 {
		t.Fatalf("%d links of guests", n)
	}
	for range 4 {
		s.dial(t, auth.Operator, nil).nextSignal(signal.Welcome)
	}
	for end := time.Now().Add(patience); s.clients.count()[polls] > 0 || s.gate.count() > 4; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d links of guests are still there, %d places are taken", s.clients.count()[polls], s.gate.count())
		}
	}
}

// TestGuestsDataChannelsMakeRoom: those, too, and they are told why.
func TestGuestsDataChannelsMakeRoom(t *testing.T) {
	s := start(t, Config{OpenRole: auth.Viewer, Limits: Limits{Connections: 2}}, func(s *Server) { s.gate.settle = 0 })
	guest := runLink(t, s.open(t, ladder.RelayUDP, http.Header{}))
	guest.nextSignal(signal.Welcome)
	for range 2 { // the link is the last of the guest's to go
		s.dial(t, auth.Operator, nil).nextSignal(signal.Welcome)
	}
	if code := guest.ended(); code != "too-many" {
		t.Errorf("the guest's link ended with %s", code)
	}
}

// TestGuestsMakeRoomForLinksOverHTTP: a link with a token that is no connection's alone has two places made, its own and its connection's.
func TestGuestsMakeRoomForLinksOverHTTP(t *testing.T) {
	for _, rung := range []ladder.Rung{ladder.SSE, ladder.Poll, ladder.RelayUDP} {
		t.Run(rung.String(), func(t *testing.T) {
			s := start(t, Config{OpenRole: auth.Viewer, Limits: Limits{Connections: 4}}, func(s *Server) { s.gate.settle = 0 })
			for range 4 {
				runLink(t, s.open(t, ladder.WS, http.Header{})).nextSignal(signal.Welcome)
			}
			s.dialRung(t, rung, auth.Operator, nil).nextSignal(signal.Welcome)
		})
	}
}

// TestRefusedGuestsMakeRoom: where links need no token, connections whose requests were refused one are closed for new ones, however
// many there are. Others come in, with a token and without, and the links stay.
func TestRefusedGuestsMakeRoom(t *testing.T) {
	s := start(t, Config{OpenRole: auth.Viewer, Limits: Limits{Connections: 6}}, func(s *Server) { s.gate.settle = 0 })
	guest := runLink(t, s.open(t, ladder.WS, http.Header{}))
	guest.nextSignal(signal.Welcome)
	for range 2 * (6 + spare) {
		s.idle(t).asks(t, "GET /v1/link HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	runLink(t, s.open(t, ladder.WS, http.Header{})).nextSignal(signal.Welcome)
	s.dial(t, auth.Operator, nil).nextSignal(signal.Welcome)
	select {
	case <-guest.over:
		t.Errorf("a link went: %v", guest.err)
	default:
	}
}

// TestOneGuestsConnectionsMakeRoom: nor does a guest keep who has a token out with more connections than there may be that all say
// something of its link.
func TestOneGuestsConnectionsMakeRoom(t *testing.T) {
	s := start(t, Config{OpenRole: auth.Viewer, Limits: Limits{Connections: 6}}, func(s *Server) { s.gate.settle = 0 })
	id := base64.RawURLEncoding.EncodeToString(make([]byte, 16))
	request := "POST /v1/link/poll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nTelepath-Link: " + id + "\r\nTelepath-Seq: "
	s.idle(t).asks(t, request+"1\r\n\r\n")
	for range 2 * (6 + spare) {
		s.idle(t).asks(t, request+"9\r\n\r\n") // malformed, but of the link
	}
	s.dial(t, auth.Operator, nil).nextSignal(signal.Welcome)
}

// TestNewConnectionsSettle: one that came just now is not closed for the next one: it may be about to say something.
func TestNewConnectionsSettle(t *testing.T) {
	g := newGate(Limits{Connections: 2}.orDefault(), nil)
	var shed []int
	come := func(i int) {
		if p := g.enter(netip.MustParseAddr("192.0.2.1")); p != nil {
			p.watch(func() { shed = append(shed, i) })
		}
	}
	synctest.Test(t, func(*testing.T) {
		for i := range 2 + spare {
			come(i)
		}
		if come(99); len(shed) != 0 {
			t.Errorf("closed: %v", shed)
		}
		time.Sleep(g.settle)
		if come(100); !slices.Equal(shed, []int{0}) {
			t.Errorf("closed: %v", shed)
		}
	})
}

func TestGateLimitsRates(t *testing.T) {
	g := newGate(Limits{RequestsPerSecond: 5}.orDefault(), nil)
	asked := 0
	for range 100 {
		if g.mayAsk(&http.Request{RemoteAddr: "192.0.2.1:1000"}) {
			asked++
		}
	}
	if asked < 20 || asked > 22 { // the burst, and what a slow machine lets by
		t.Fatalf("%d requests at once", asked)
	}
	if !g.mayAsk(&http.Request{RemoteAddr: "192.0.2.2:1000"}) || !g.mayAsk(&http.Request{RemoteAddr: "[::1]:1000"}) {
		t.Fatal("others are refused as well")
	}
	for i := range 2 * maxAddresses {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		g.mayAsk(&http.Request{RemoteAddr: netip.AddrPortFrom(addr, 1).String()})
	}
	if n := len(g.rates) + len(g.older); n > maxAddresses {
		t.Fatalf("%d addresses are remembered", n)
	}
}
