package port

import (
	"net"
	"net/netip"
	"sync"
)

// sender is one whose datagrams came here. It never changes.
type sender struct {
	addr    netip.AddrPort
	udp     *net.UDPAddr // the same, for who reads
	at      netip.Addr   // our address that the datagrams were sent to; not valid: not known
	control []byte       // for the kernel, to send from there; nil: from where it likes
}

// senders are remembered so that a datagram costs no allocation, and so that
// who has several addresses answers from the one that was asked: NAT and ICE
// take no answer from another.
type senders struct {
	mu sync.RWMutex
	of map[netip.AddrPort]*sender
}

// maxSenders is how many are remembered. Beyond that the table starts anew:
// who is still there is known again with his next datagram.
const maxSenders = 4096

// know returns the sender of a datagram that was sent to at.
func (s *senders) know(addr netip.AddrPort, at netip.Addr, device uint32) *sender {
	if known := s.look(addr); known != nil && known.at == at {
		return known
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || len(s.of) >= maxSenders {
		s.of = make(map[netip.AddrPort]*sender)
	}
	who := &sender{addr: addr, udp: net.UDPAddrFromAddrPort(addr), at: at, control: sendFrom(at, device)}
	s.of[addr] = who
	return who
}

// look returns a sender that is known, or nil.
func (s *senders) look(addr netip.AddrPort) *sender {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.of[addr]
}
