package server

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestGateCountsConnections(t *testing.T) {
	g := newGate(Limits{Connections: 30, ConnectionsPerAddress: 2}.orDefault(), nil)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	from := func(addr netip.Addr) *http.Request {
		return &http.Request{RemoteAddr: netip.AddrPortFrom(addr, 1).String()}
	}
	entered := 0
	for range 100 {
		if g.enter(a) {
			entered++
		}
		if crowded := g.crowded(from(a)); crowded != (entered > 2) {
			t.Fatalf("crowded %v with %d connections", crowded, entered)
		}
	}
	if entered != 2+spare {
		t.Fatalf("one address has %d connections", entered)
	}
	for g.enter(b) {
		entered++
	}
	for range 100 { // this machine's own have no limit of their own, but that of all
		if g.enter(netip.IPv6Loopback()) {
			entered++
		}
	}
	if entered != 30+spare {
		t.Fatalf("%d connections in all", entered)
	}
	for range 2 + spare {
		g.leave(a)
	}
	if g.crowded(from(a)) || !g.enter(a) {
		t.Fatal("places are not given back")
	}
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
	if len(g.rates) > maxAddresses {
		t.Fatalf("%d addresses are remembered", len(g.rates))
	}
}
