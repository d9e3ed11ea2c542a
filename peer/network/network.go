// Package network tells one network that this machine is in from another, and
// when it changes: by its own addresses and its way out. Nothing is sent.
package network

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// ID names the network that this machine reaches a server through: the same
// URL, proxy, own address and way out give the same name. It tells none of them.
func ID(server, proxy string) string {
	parts := append([]string{server, proxy, gateway()}, sources(server)...)
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// Addresses of nobody (RFC 5737, RFC 3849): what would be sent there takes the
// default route. Asking the resolver for the server's own would cost a round trip.
var outside = []string{"192.0.2.1", "2001:db8::1"}

// sources are the addresses of ours that we would have towards a server.
func sources(server string) (own []string) {
	targets := outside
	if u, err := url.Parse(server); err == nil {
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
			targets = []string{addr.String()}
		}
	}
	for _, to := range targets {
		conn, err := net.Dial("udp", net.JoinHostPort(to, "9")) // connects without a packet
		if err != nil {
			continue
		}
		if local, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			own = append(own, local.IP.String())
		}
		conn.Close()
	}
	return own
}

// state is all that makes one network another.
type state struct{ addrs, gateway string }

func present() state {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return state{}
	}
	var own []string
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().IsGlobalUnicast() {
			own = append(own, prefix.String())
		}
	}
	slices.Sort(own)
	return state{strings.Join(own, " "), gateway()}
}

// Lost reports whether an address that was this machine's is so no more: what was
// bound to it sends nothing. In doubt it is not. Nothing is sent to find out.
func Lost(addr netip.Addr) bool {
	if !addr.IsValid() {
		return false
	}
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		return errors.Is(err, syscall.EADDRNOTAVAIL)
	}
	socket.Close()
	return false
}
