package turn

import (
	"net/netip"
	"testing"
	"time"
)

// Whoever asks in an address's name, that address gets no more than was sent in
// its name, above the allowance.
func TestAnAddressGetsLittle(t *testing.T) {
	var l ledger
	now := time.Now()
	victim := netip.MustParseAddr("192.0.2.1")
	in, out := 0, 0
	const seconds = 60
	for range 1000 * seconds {
		now = now.Add(time.Millisecond)
		in += 20
		if l.admit(victim, 20, now) {
			l.answered(victim, 90, now)
			out += 90
		}
	}
	if most := in + addressAllowance + seconds*addressPerSecond; out > most || out < in {
		t.Errorf("%d bytes out for %d in; at most %d", out, in, most)
	}
	if !l.admit(netip.MustParseAddr("192.0.2.2"), 20, now) {
		t.Error("another address pays for it")
	}
	if now = now.Add(addressAllowance / addressPerSecond * time.Second); !l.admit(victim, 20, now) {
		t.Error("it is not forgiven")
	}
}

// Nor do all of them together; a network of IPv6 counts as one.
func TestAllAddressesGetLittle(t *testing.T) {
	var l ledger
	now := time.Now()
	in, out := 0, 0
	const seconds = 5
	for i := range 20000 * seconds {
		now = now.Add(50 * time.Microsecond)
		from := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		in += 20
		if l.admit(from, 20, now) {
			l.answered(from, 90, now)
			out += 90
		}
	}
	if most := in + totalAllowance + seconds*totalPerSecond; out > most || out < in {
		t.Errorf("%d bytes out for %d in; at most %d", out, in, most)
	}
	if len(l.of) > maxAccounts {
		t.Errorf("%d accounts", len(l.of))
	}

	l = ledger{}
	in, out = 0, 0
	for i := range 1000 {
		in += 20
		if from := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 8: byte(i >> 8), 9: byte(i)}); l.admit(from, 20, now) {
			l.answered(from, 90, now)
			out += 90
		}
	}
	if out > in+addressAllowance {
		t.Errorf("a network of IPv6 got %d bytes at once for %d", out, in)
	}
}

// A real socket, and whoever sends what to it without credentials.
func TestUnauthenticatedDatagrams(t *testing.T) {
	s := start(t, Config{})
	conn := s.dial(t, "udp")
	server := addrOf(t, s.at["udp"])
	in := 0
	var kinds [][]byte
	for _, class := range []byte{0, 1} { // requests and indications, and what is neither
		for method := range byte(16) {
			m := stunFrame(t, 0)
			m[0], m[1] = class, method
			kinds = append(kinds, m)
		}
	}
	kinds = append(kinds, []byte{}, []byte{0x40, 0, 0, 4, 1, 2, 3, 4}, []byte{0, 1, 0, 0}, make([]byte, 20), make([]byte, 1500))
	for range 200 {
		for _, p := range kinds {
			if _, err := conn.WriteTo(p, server); err != nil {
				t.Fatal(err)
			}
			in += len(p)
		}
	}
	out, buf := 0, make([]byte, maxFrame)
	for {
		must(t, conn.SetReadDeadline(time.Now().Add(3*tinyTime)))
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			break
		}
		out += n
	}
	if out > in || out == 0 {
		t.Errorf("%d bytes came back for %d", out, in)
	}
	if e := s.join(t, "tcp", "s"); e.relayed == nil { // nobody else suffers
		t.Error("no allocation")
	}
}
