package netcheck

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
)

// mapping is what a STUN server sees of a socket of ours.
type mapping struct{ from, seen netip.AddrPort }

// udpPort is the server's for STUN: what it says, else that of its URL. said: it
// says that it has one.
func (s *survey) udpPort() (port uint16, said bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.udp != nil {
		return *s.udp, true
	}
	own, _ := strconv.ParseUint(s.port, 10, 16)
	return uint16(own), false
}

// checkUDP asks the server over UDP which address it sees of us, as a direct
// path is found.
func (s *survey) checkUDP(ctx context.Context) Check {
	port, said := s.udpPort()
	to := s.family(false)
	switch {
	case port == 0:
		return unknown("the server does not answer over UDP", "")
	case len(to) == 0:
		return unknown("the server has no IPv4 address", "")
	}
	began := time.Now()
	seen, err := s.seenFrom(ctx, netip.AddrPortFrom(to[0], port))
	switch {
	case err == nil:
		return ok(time.Since(began), fmt.Sprintf("the server sees %v", seen))
	case !said:
		return unknown("no answer, and the server does not say that it answers over UDP", "")
	}
	return failed(time.Since(began), err)
}

// seenFrom asks on the one socket of all questions: a NAT's mapping is a socket's.
func (s *survey) seenFrom(ctx context.Context, to netip.AddrPort) (netip.AddrPort, error) {
	if s.socket == nil {
		conn, err := net.ListenPacket("udp4", ":0")
		if err != nil {
			return netip.AddrPort{}, carrier.Explain(err)
		}
		s.socket = conn
	}
	seen, err := rtc.AskSTUN(ctx, s.socket, to)
	if err == nil {
		s.mappings = append(s.mappings, mapping{to, seen})
	}
	return seen, err
}

// askTime bounds the question to one more server, of which none may answer.
const askTime = 700 * time.Millisecond

// checkMapping says whether a NAT is between, and whether it gives each
// destination another address. It takes two that answer.
func (s *survey) checkMapping(ctx context.Context) Check {
	for _, to := range s.otherSTUN(ctx) {
		one, cancel := context.WithTimeout(ctx, askTime)
		_, _ = s.seenFrom(one, to) // of one that does not answer nothing is known
		cancel()
	}
	local, err := netip.ParseAddrPort(s.socket.LocalAddr().String())
	first := s.mappings[0].seen
	return judgeMappings(s.mappings, err == nil && isOwn(first.Addr()) && first.Port() == local.Port())
}

// judgeMappings reads at least one mapping. own: the first is our socket's own address.
func judgeMappings(mappings []mapping, own bool) Check {
	first := mappings[0]
	for _, m := range mappings[1:] {
		if m.seen != first.seen {
			return failed(0, carrier.Fail("nat-varies", fmt.Sprintf("%v from %v, %v from %v", first.seen, first.from, m.seen, m.from), nil))
		}
	}
	switch {
	case own:
		return ok(0, "no NAT: the server sees this machine's own address")
	case len(mappings) == 1:
		return remark(unknown("it takes two servers, or two addresses of one, to see whether the NAT's mapping varies", ""), "a NAT maps to "+first.seen.String())
	}
	return ok(0, "a NAT maps to "+first.seen.String()+" for all destinations")
}

// otherSTUN are more addresses that answer STUN: the server's own, and those of TURN servers.
func (s *survey) otherSTUN(ctx context.Context) (list []netip.AddrPort) {
	port, _ := s.udpPort()
	for _, a := range s.family(false)[1:] {
		list = append(list, netip.AddrPortFrom(a, port))
	}
	for _, at := range s.turnOverUDP() {
		host, port, err := net.SplitHostPort(at)
		number, _ := strconv.ParseUint(port, 10, 16)
		if err != nil {
			continue
		}
		found, _ := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		for _, a := range found {
			list = append(list, netip.AddrPortFrom(a.Unmap(), uint16(number)))
		}
	}
	asked := s.mappings[0].from
	for i, to := range list {
		if to == asked {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	return list[:min(len(list), maxTried)]
}

// isOwn reports whether an address is one of this machine's.
func isOwn(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == addr {
			return true
		}
	}
	return false
}
