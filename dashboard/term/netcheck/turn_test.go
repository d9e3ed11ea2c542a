package netcheck

import (
	"net"
	"net/netip"
	"testing"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/server"
)

// A server that has no TURN says so, and asks no more of UDP than there is.
func TestNoTURN(t *testing.T) {
	r := serve(t, server.Config{NoTURN: true})
	got := check(t, r.viewer(t, "http", r.addr))
	got.unknown("the server names no TURN server", "turn-udp", "turn-tcp", "turn-tls")
	got.expects("ws")
}

// A device's token is told of no TURN server without a viewer; that is no failure.
func TestTURNWithADevicesToken(t *testing.T) {
	r := serve(t, server.Config{})
	got := check(t, peer.Endpoint{URL: "http://" + r.addr, Token: r.token(t, auth.Device)})
	got.unknown("with each viewer", "turn-udp", "turn-tcp", "turn-tls")
}

// Where there is no link nobody has told; that is no failure either.
func TestTURNWithoutALink(t *testing.T) {
	r := serve(t, server.Config{})
	got := check(t, peer.Endpoint{URL: "http://" + r.addr})
	got.unknown("no link came up", "turn-udp", "turn-tcp", "turn-tls")
}

// TURN servers that do not answer, or refuse the credentials, have failed under a name.
func TestTURNThatDoesNotGive(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone := listen(t)
	gone.Close()
	other := serve(t, server.Config{}) // has another secret
	r := serve(t, server.Config{TURNSecret: "x", TURNServers: []string{
		"turn:" + silent.LocalAddr().String() + "?transport=udp", "turn:" + gone.Addr().String() + "?transport=tcp",
	}})
	got := check(t, r.viewer(t, "http", r.addr))
	got.failed("turn-udp", "udp-blocked")
	got.failed("turn-tcp", "refused")
	r = serve(t, server.Config{TURNSecret: "x", TURNServers: []string{"turn:" + other.addr + "?transport=udp"}})
	got = check(t, r.viewer(t, "http", r.addr))
	got.failed("turn-udp", "turn-refused")
}

// A server without datagrams is reached over TCP alone, and the two are told apart by name.
func TestDataChannelsOverTCPAlone(t *testing.T) {
	r := serve(t, server.Config{UDP: server.NoUDP})
	got := check(t, r.viewer(t, "http", r.addr))
	got.failed("relay-udp", "udp-blocked")
	got.ok("relay-tcp")
	got.expects("ws")
}

// What two servers see of one socket tells whether the NAT's mapping varies; what one sees does not.
func TestMappings(t *testing.T) {
	at := func(from, seen string) mapping {
		return mapping{netip.MustParseAddrPort(from), netip.MustParseAddrPort(seen)}
	}
	one, same := at("192.0.2.1:1", "203.0.113.1:5"), at("192.0.2.2:1", "203.0.113.1:5")
	port, address := at("192.0.2.2:1", "203.0.113.1:6"), at("192.0.2.2:1", "203.0.113.2:5")
	for _, c := range []struct {
		name    string
		seen    []mapping
		own     bool
		verdict Verdict
		failure string
	}{
		{"own", []mapping{one}, true, OK, ""},
		{"own to one, mapped to another", []mapping{one, port}, true, Failed, "nat-varies"},
		{"one", []mapping{one}, false, Unknown, ""},
		{"the same", []mapping{one, same}, false, OK, ""},
		{"another port", []mapping{one, same, port}, false, Failed, "nat-varies"},
		{"another address", []mapping{one, address}, false, Failed, "nat-varies"},
	} {
		if got := judgeMappings(c.seen, c.own); got.Verdict != c.verdict || got.Failure != c.failure {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
