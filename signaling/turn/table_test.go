package turn

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func pair(t *testing.T, limits Limits) (a, b *relay, counts *Counts) {
	t.Helper()
	counts = new(Counts)
	table := newTable(nil, limits.orDefault(), counts)
	var ends [2]*relay
	for i := range ends {
		r, err := table.allocate("s", false, 0)
		must(t, err)
		ends[i] = r
	}
	return ends[0], ends[1], counts
}

// What nobody fetches makes room for what is newer, and is counted.
func TestQueueKeepsTheNewest(t *testing.T) {
	a, b, counts := pair(t, Limits{})
	const sent = 3 * relayQueue
	for i := range sent {
		_, err := a.WriteTo(fmt.Appendf(nil, "%d", i), b.LocalAddr())
		must(t, err)
	}
	buf := make([]byte, maxFrame)
	for i := sent - relayQueue; i < sent; i++ {
		n, from, err := b.ReadFrom(buf)
		if err != nil || string(buf[:n]) != fmt.Sprint(i) || from.String() != a.LocalAddr().String() {
			t.Fatalf("%q from %v, %v; want %d", buf[:n], from, err, i)
		}
	}
	if n := counts.Drops[QueueFull].Load(); n != sent-relayQueue {
		t.Errorf("%d dropped", n)
	}
}

func TestBudget(t *testing.T) {
	a, b, counts := pair(t, Limits{BytesPerSecond: 100_000})
	for range 1000 {
		_, err := a.WriteTo(make([]byte, 1000), b.LocalAddr())
		must(t, err)
	}
	passed := counts.Bytes.Load()
	if dropped := counts.Drops[OverBudget].Load(); passed < 25_000 || passed > 60_000 || passed/1000+dropped != 1000 {
		t.Errorf("%d bytes passed, %d packets dropped", passed, dropped)
	}
	_, err := b.WriteTo([]byte("the other way"), a.LocalAddr())
	must(t, err)
	if counts.Bytes.Load() == passed {
		t.Error("the other end pays for it")
	}
	_, err = b.WriteTo(make([]byte, maxFrame+1), a.LocalAddr())
	must(t, err)
	if counts.Drops[TooLong].Load() != 1 {
		t.Error("a packet too long was handed over")
	}
}

func TestRelayedAddresses(t *testing.T) {
	for _, c := range []struct{ announced, v4, v6 string }{
		{"", "192.0.0.8", "100::8"},
		{"192.168.1.2", "192.168.1.2", "100::8"},
		{"2001:db8::1 192.168.1.2 10.0.0.1 2001:db8::2", "192.168.1.2", "2001:db8::1"},
		{"::ffff:192.168.1.2 fe80::1%eth0", "192.168.1.2", "fe80::1"},
	} {
		var addresses []netip.Addr
		for _, a := range strings.Fields(c.announced) {
			addresses = append(addresses, netip.MustParseAddr(a))
		}
		table := newTable(addresses, Limits{}.orDefault(), new(Counts))
		for v6, want := range map[bool]string{false: c.v4, true: c.v6} {
			r, err := table.allocate("s", v6, 0)
			must(t, err)
			if r.addr.Addr().String() != want || r.addr.Port() < firstNumber {
				t.Errorf("%q: %v, want %s", c.announced, r.addr, want)
			}
			if _, err := table.allocate("s", v6, r.addr.Port()); err == nil {
				t.Errorf("%v is there twice", r.addr)
			}
		}
	}
}

func TestRevokedAreForgottenInOrder(t *testing.T) {
	var r revoked
	name := func(i int) string { return fmt.Sprint("session ", i) }
	const more = 100
	for i := range maxRevoked + more {
		r.add(name(i))
		if i == 50 {
			r.remove(name(20))
			r.add(name(10)) // now younger
		}
	}
	if len(r.number) > maxRevoked || len(r.order) > maxRevoked {
		t.Fatalf("%d remembered", len(r.number))
	}
	for i, want := range map[int]bool{0: false, 10: false, 20: false, more - 2: false, more: true, maxRevoked: true, maxRevoked + more - 1: true} {
		if r.has(name(i)) != want {
			t.Errorf("session %d is revoked: %v", i, !want)
		}
	}
	r.remove(name(maxRevoked))
	if r.has(name(maxRevoked)) {
		t.Error("it cannot be allowed again")
	}
}

// A relay that is revoked before pion has told whose it is.
func TestRevokedWhileItIsMade(t *testing.T) {
	s, err := New(Config{Secret: "s"})
	must(t, err)
	r, err := s.table.allocate("session", false, 0)
	must(t, err)
	s.Revoke("session")
	f := newDatagrams(s, nil)
	from := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
	f.created(from, nil, "", "", "", r.LocalAddr(), 0)
	if f.relay(client(from)) != nil {
		t.Error("its client has it all the same")
	}
	if _, _, err := r.ReadFrom(nil); err == nil {
		t.Error("pion is not told")
	}
	if _, err := s.table.allocate("session", false, 0); err == nil {
		t.Error("it allocates again")
	}
	s.Credentials("session", time.Minute)
	if _, err := s.table.allocate("session", false, 0); err != nil {
		t.Error(err)
	}
}

// A network may take nearly everything while nobody else asks, as many people behind one address do; and some are left for who
// comes then, however many sessions took what they could.
func TestNetworksShareAllocations(t *testing.T) {
	s, err := New(Config{Secret: "s"})
	must(t, err)
	f := newDatagrams(s, nil)
	sessions := 0
	take := func(network string) (n int) {
		prefix := netip.MustParsePrefix(network)
		addr := prefix.Addr()
		for port := uint16(1024); ; port++ {
			from := net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, port))
			session := fmt.Sprint(sessions)
			if !s.mayAllocate(session, realm, from) {
				if len(s.table.sessions[session]) == 0 {
					return n
				}
				sessions++ // it has what a session may have
				continue
			}
			r, err := s.table.allocate(session, false, 0)
			if err != nil {
				return n
			}
			f.created(from, nil, "", "", "", r.LocalAddr(), 0)
			n++
			if addr = addr.Next(); !prefix.Contains(addr) {
				addr = prefix.Addr()
			}
		}
	}
	if n := take("198.51.100.1/32"); n < 2400 || n > 3000 { // 200 people with 12 each
		t.Errorf("the first network has %d", n)
	}
	taken := 0
	for i := range 32 { // of one site: whoever has all of it has no more than one address
		taken += take(fmt.Sprintf("2001:db8:0:%x::/64", i))
	}
	if taken < 12 || taken > 1000 {
		t.Errorf("a site has %d", taken)
	}
	if n := take("192.0.2.1/32"); n < 12 {
		t.Errorf("another one has %d", n)
	}
	for _, list := range s.table.sessions {
		for _, r := range list {
			r.end()
		}
	}
	if len(s.table.networks) != 0 {
		t.Errorf("places are not given back: %v", s.table.networks)
	}
}
