package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// ParseAnnounce reads the addresses that --announce names.
func ParseAnnounce(list []string) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, text := range list {
		addr, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil || addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() {
			return nil, fmt.Errorf("%.80q is not an address at which others reach this server: give one such as 203.0.113.7 or 2001:db8::7", text)
		}
		addrs = append(addrs, plain(addr))
	}
	return addrs, nil
}

// Announced are the addresses at which others reach the ports, for candidates
// of ICE and relayed addresses of TURN: those of the configuration, or the one
// that is listened on, or those of this machine's interfaces as they are now.
func (s *Server) Announced() []netip.Addr {
	if len(s.cfg.Announce) > 0 {
		return s.cfg.Announce
	}
	at := s.tcpAddr().AddrPort().Addr()
	if s.udp != nil {
		at = s.udpAddr().Addr()
	}
	if !at.IsUnspecified() {
		return []netip.Addr{plain(at)}
	}
	return interfaceAddresses()
}

// interfaceAddresses are those that others may reach, or loopback where there are no others.
func interfaceAddresses() (addrs []netip.Addr) {
	all, _ := net.InterfaceAddrs() // no rights to ask: loopback still works
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().IsGlobalUnicast() {
			addrs = append(addrs, plain(prefix.Addr()))
		}
	}
	if len(addrs) == 0 {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return addrs
}

// UDPPort is the number of the UDP port; 0: there is none.
func (s *Server) UDPPort() uint16 {
	if s.udp == nil {
		return 0
	}
	return s.udpAddr().Port()
}

func (s *Server) udpAddr() netip.AddrPort { return s.udp.LocalAddr().(*net.UDPAddr).AddrPort() }

func (s *Server) tcpAddr() *net.TCPAddr { return s.listener.Addr().(*net.TCPAddr) }

// toldUDP is what a welcome says of the UDP port (section 6.1): nothing where
// it has the number of the TCP port at which its client reached us. Who comes
// through a reverse proxy has reached another.
func (s *Server) toldUDP(r *http.Request) *uint16 {
	udp, reached := s.UDPPort(), s.tcpAddr().AddrPort().Port()
	if len(s.proxies) > 0 {
		reached = portAsked(r)
	}
	if udp != 0 && s.udpAddr().Addr().IsLoopback() && !address(r).IsLoopback() {
		udp = 0
	}
	if udp == reached {
		return nil
	}
	return &udp
}

// portAsked is the port in the URL of a request; 0 if that is no number.
func portAsked(r *http.Request) uint16 {
	_, text := splitHost(r.Host)
	switch {
	case text == "" && overTLS(r):
		return 443
	case text == "":
		return 80
	}
	n, _ := strconv.ParseUint(text, 10, 16)
	return uint16(n)
}
