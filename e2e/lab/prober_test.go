package lab

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// A prober of NATs as RFC 5780 describes it, over real sockets: a server with two addresses and two ports tells who asks what
// address it sees, from the socket that was asked or from another one.

// proberPorts are the server's.
var proberPorts = [2]uint16{3478, 3479}

// From which of the server's sockets an answer is to come: the one byte of a question.
const (
	sameSocket = iota
	otherPort
	otherAddress // and other port
)

const silence = 300 * time.Millisecond // no answer comes any more

// prober is the server: a socket for each address and port.
type prober struct {
	addrs   [2]netip.Addr
	sockets [2][2]*net.UDPConn // address, port
}

// startProber gives the host a second address and listens at both.
func startProber(t *testing.T, on *Host) *prober {
	t.Helper()
	p := &prober{addrs: [2]netip.Addr{on.Addr, netip.MustParseAddr("203.0.113.200")}}
	if err := on.Readdress(netip.PrefixFrom(p.addrs[0], 24), netip.PrefixFrom(p.addrs[1], 24)); err != nil {
		t.Fatal(err)
	}
	for a, addr := range p.addrs {
		for n, port := range proberPorts {
			p.sockets[a][n] = listenUDP(t, on, netip.AddrPortFrom(addr, port))
		}
	}
	for a := range p.addrs { // when all are there, which answer for one another
		for n := range proberPorts {
			go p.serve(a, n)
		}
	}
	return p
}

func (p *prober) serve(a, n int) {
	question := make([]byte, 16)
	for {
		size, from, err := p.sockets[a][n].ReadFromUDPAddrPort(question)
		if err != nil {
			return // closed with the test
		}
		if size != 1 {
			continue
		}
		socket := [...]*net.UDPConn{p.sockets[a][n], p.sockets[a][1-n], p.sockets[1-a][1-n]}[question[0]%3]
		_, _ = socket.WriteToUDPAddrPort([]byte(from.String()), from) // a lost answer is asked for again
	}
}

// at is one of the server's sockets.
func (p *prober) at(a, n int) netip.AddrPort { return netip.AddrPortFrom(p.addrs[a], proberPorts[n]) }

// ask returns the address that a socket of the server sees, and whether an answer came at all.
func ask(t *testing.T, conn *net.UDPConn, at netip.AddrPort, answer byte) (seen netip.AddrPort, ok bool) {
	t.Helper()
	text := make([]byte, 64)
	for range 2 {
		_, _ = conn.WriteToUDPAddrPort([]byte{answer}, at) // an error counts as no answer
		_ = conn.SetReadDeadline(time.Now().Add(silence))
		if n, err := conn.Read(text); err == nil {
			if seen, err = netip.ParseAddrPort(string(text[:n])); err != nil {
				t.Fatal(err)
			}
			return seen, true
		}
	}
	return seen, false
}

// depends is on what a mapping, or a filter, depends (RFC 4787, sections 4.1 and 5).
type depends string

const (
	nothing        depends = "endpoint-independent"
	address        depends = "address-dependent"
	addressAndPort depends = "address-and-port-dependent"
	noUDP          depends = "no UDP"
)

// mapping is RFC 5780, section 4.3.
func (p *prober) mapping(t *testing.T, from *Host) depends {
	conn := listenUDP(t, from, netip.AddrPortFrom(from.Addr, 0))
	first, ok := ask(t, conn, p.at(0, 0), sameSocket)
	if !ok {
		return noUDP
	}
	second, _ := ask(t, conn, p.at(1, 0), sameSocket)
	third, _ := ask(t, conn, p.at(1, 1), sameSocket)
	switch {
	case first == second && second == third:
		return nothing
	case second == third:
		return address
	default:
		return addressAndPort
	}
}

// filtering is RFC 5780, section 4.4.
func (p *prober) filtering(t *testing.T, from *Host) depends {
	conn := listenUDP(t, from, netip.AddrPortFrom(from.Addr, 0))
	if _, ok := ask(t, conn, p.at(0, 0), sameSocket); !ok {
		return noUDP
	}
	if _, ok := ask(t, conn, p.at(0, 0), otherAddress); ok {
		return nothing
	}
	if _, ok := ask(t, conn, p.at(0, 0), otherPort); ok {
		return address
	}
	return addressAndPort
}

func listenUDP(t *testing.T, on *Host, at netip.AddrPort) (conn *net.UDPConn) {
	t.Helper()
	err := on.Enter(func() (err error) {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
