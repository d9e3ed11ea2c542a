package lab

import (
	"fmt"
	"net/netip"
)

// Kind is what stands between a host and the public network, in the words of RFC 4787: how a NAT maps the host's address and
// port to one of its own, and whom it lets in at that.
type Kind string

// The kinds. nat_test.go looks at each from both sides and says what it found.
const (
	// Open is a public address without a firewall.
	Open Kind = "open"
	// FullCone maps and filters independently of the endpoint: a port that the host has sent from within the last minute is open
	// to everybody.
	FullCone Kind = "full cone"
	// PortRestricted maps independently of the endpoint and filters by address and port: who was sent something may answer. It is
	// what Linux' masquerade does as long as no two hosts behind it want the same port, since it keeps the host's own.
	PortRestricted Kind = "port-restricted"
	// Symmetric maps and filters by address and port: every destination sees another port, a random one.
	Symmetric Kind = "symmetric"
	// UDPBlocked is PortRestricted for TCP, and drops all UDP silently.
	UDPBlocked Kind = "UDP blocked"
	// Only443 lets out TCP to port 443 and drops all else silently.
	Only443 Kind = "only TCP 443"
	// OnlyProxy lets nothing through. A proxy on the router itself can be reached, at Home.Inside.
	OnlyProxy Kind = "only squid with 407"
)

// Kinds are all there are, from the best to the worst.
var Kinds = []Kind{Open, FullCone, PortRestricted, Symmetric, UDPBlocked, Only443, OnlyProxy}

// rules are the router's. Whatever comes from outside unasked is dropped before the kernel remembers it: otherwise it would hold
// the port against the host, and a PortRestricted NAT would give that peer another one.
func (k Kind) rules(host netip.Addr) string {
	return fmt.Sprintf(`table ip router {
	set open { type inet_service; flags dynamic,timeout; }
	chain in {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		iifname { lo, %[1]s } accept
	}
	chain pass {
		type filter hook forward priority 0; policy drop;
		%[2]s
		ct state established,related accept
		ct status dnat accept
	}
	chain inward {
		type nat hook prerouting priority -100;
		iifname != %[1]s udp dport @open dnat to %[3]s
	}
	chain outward {
		type nat hook postrouting priority 100;
		iifname %[1]s masquerade %[4]s
	}
}`, inner, k.outward(), host, k.mapping())
}

// outward is the rule for what comes from the host.
func (k Kind) outward() string {
	const from = "iifname " + inner + " "
	switch k {
	case FullCone:
		return from + "meta l4proto udp update @open { udp sport timeout 60s } accept\n\t\t" + from + "accept"
	case PortRestricted, Symmetric:
		return from + "accept"
	case UDPBlocked:
		return from + "meta l4proto != udp accept"
	case Only443:
		return from + "tcp dport 443 accept"
	default:
		return ""
	}
}

// mapping is how masquerade chooses the router's port.
func (k Kind) mapping() string {
	if k == Symmetric {
		return "fully-random"
	}
	return ""
}
