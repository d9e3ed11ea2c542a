package lab

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// What each kind does to UDP, as a prober outside finds it, and whether TCP to port 443, to another port, and whatever comes
// from outside unasked gets through.
var natural = map[Kind]struct {
	mapping, filtering depends
	tcp443, tcpOther   bool
	unasked            bool
}{
	Open:           {nothing, nothing, true, true, true},
	FullCone:       {nothing, nothing, true, true, false},
	PortRestricted: {nothing, addressAndPort, true, true, false},
	Symmetric:      {addressAndPort, addressAndPort, true, true, false},
	UDPBlocked:     {noUDP, noUDP, true, true, false},
	Only443:        {noUDP, noUDP, true, false, false},
	OnlyProxy:      {noUDP, noUDP, false, false, false},
}

func TestKinds(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			l, srv := openInternet(t)
			home := home(t, l, "host", kind)
			want, p := natural[kind], startProber(t, srv)
			if got := p.mapping(t, home.Host); got != want.mapping {
				t.Errorf("the mapping is %s, want %s", got, want.mapping)
			}
			if got := p.filtering(t, home.Host); got != want.filtering {
				t.Errorf("the filtering is %s, want %s", got, want.filtering)
			}
			for port, want := range map[uint16]bool{443: want.tcp443, 8080: want.tcpOther} {
				if got := dials(t, home.Host, srv, netip.AddrPortFrom(srv.Addr, port)); got != want {
					t.Errorf("TCP to port %d gets through: %v, want %v", port, got, want)
				}
			}
			if got := unasked(t, srv, home); got != want.unasked {
				t.Errorf("what comes from outside unasked gets through: %v, want %v", got, want.unasked)
			}
		})
	}
}

// A proxy on the router is what a host of the kind OnlyProxy reaches; TestKinds shows that it reaches nothing else.
func TestRouterIsReached(t *testing.T) {
	l, _ := openInternet(t)
	home := home(t, l, "host", OnlyProxy)
	if !dials(t, home.Host, home.Router, netip.AddrPortFrom(home.Inside, 3128)) {
		t.Error("the router is not reached from inside")
	}
}

// unmatched are the pairs, in either order, between which no hole can be punched: one end's port is another one for every
// destination, and the other end lets in only whom it has sent to (RFC 5128, section 3.3).
var unmatched = [][2]Kind{{PortRestricted, Symmetric}, {Symmetric, Symmetric}}

// TestPunch has hosts behind all kinds that let UDP pass try each other as ICE does: each sends to the address under which a
// server has seen the other one, and answers whoever it hears from.
func TestPunch(t *testing.T) {
	for i, a := range Kinds[:4] {
		for _, b := range Kinds[i:4] {
			t.Run(string(a)+", "+string(b), func(t *testing.T) {
				t.Parallel()
				want := true
				for _, pair := range unmatched {
					want = want && pair != [2]Kind{a, b}
				}
				if got := punch(t, a, b); got != want {
					t.Errorf("they meet: %v, want %v", got, want)
				}
			})
		}
	}
}

func punch(t *testing.T, a, b Kind) bool {
	l, srv := openInternet(t)
	one, two := home(t, l, "one", a), home(t, l, "two", b)
	p := startProber(t, srv)
	ends := [2]*net.UDPConn{
		listenUDP(t, one.Host, netip.AddrPortFrom(one.Addr, 0)),
		listenUDP(t, two.Host, netip.AddrPortFrom(two.Addr, 0)),
	}
	var seen [2]netip.AddrPort
	for i, end := range ends {
		var ok bool
		if seen[i], ok = ask(t, end, p.at(0, 0), sameSocket); !ok {
			t.Fatal("the server does not answer")
		}
	}
	heard := make(chan bool, 2)
	for i, end := range ends {
		go func() { heard <- meet(end, seen[1-i]) }()
	}
	first, second := <-heard, <-heard
	return first && second
}

// meet sends to an address, and to whoever it hears from, and says whether it was answered: "?" is a question, "!" an answer.
func meet(conn *net.UDPConn, other netip.AddrPort) (answered bool) {
	packet := make([]byte, 64)
	for until := time.Now().Add(5 * silence); time.Now().Before(until); {
		_, _ = conn.WriteToUDPAddrPort([]byte("?"), other)
		_ = conn.SetReadDeadline(time.Now().Add(silence / 3))
		n, from, err := conn.ReadFromUDPAddrPort(packet)
		switch {
		case err != nil:
		case string(packet[:n]) == "?":
			other = from
			_, _ = conn.WriteToUDPAddrPort([]byte("!"), from)
		default:
			answered = true // and goes on, for the other end's sake
		}
	}
	return answered
}

// openInternet builds an internet with a server.
func openInternet(t *testing.T) (l *Lab, srv *Host) {
	t.Helper()
	need(t)
	l, err := NewInternet("srv")
	if err != nil {
		t.Fatal(err)
	}
	closeWith(t, l)
	return l, l.Host("srv")
}

func home(t *testing.T, l *Lab, name string, kind Kind) *Home {
	t.Helper()
	h, err := l.Home(name, kind)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// dials says whether a TCP connection from a host to a listener at an address of another one comes up.
func dials(t *testing.T, from, to *Host, at netip.AddrPort) bool {
	t.Helper()
	var listener net.Listener
	err := to.Enter(func() (err error) {
		listener, err = net.Listen("tcp4", at.String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	err = from.Enter(func() error {
		conn, err := net.DialTimeout("tcp4", at.String(), 2*silence)
		if err == nil {
			conn.Close()
		}
		return err
	})
	if err != nil && !strings.Contains(err.Error(), "timeout") {
		t.Errorf("TCP is not dropped silently: %v", err)
	}
	return err == nil
}

// unasked says whether a datagram from outside comes to a port of the host that has sent nothing.
func unasked(t *testing.T, from *Host, to *Home) bool {
	t.Helper()
	public := to.Addr
	if to.Router != nil {
		public = to.Router.Addr
	}
	listener := listenUDP(t, to.Host, netip.AddrPortFrom(to.Addr, 0))
	sender := listenUDP(t, from, netip.AddrPortFrom(from.Addr, 0))
	port := listener.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	_, _ = sender.WriteToUDPAddrPort([]byte("hello"), netip.AddrPortFrom(public, port)) // an error counts as not come
	_ = listener.SetReadDeadline(time.Now().Add(silence))
	_, err := listener.Read(make([]byte, 16))
	return err == nil
}
