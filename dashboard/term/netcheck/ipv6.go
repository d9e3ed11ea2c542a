package netcheck

import (
	"context"
	"net"
	"net/netip"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// checkIPv6 says whether IPv6 leads to the server, and if not, at which end it
// is missing.
func (s *survey) checkIPv6(context.Context) Check {
	here := "this machine has no public IPv6 address"
	if own := publicIPv6(); len(own) > 0 {
		here = "this machine has " + listed(own)
	}
	switch server := s.family(true); {
	case s.proxy != nil:
		return remark(unknown(throughProxy, ""), here)
	case len(server) == 0:
		return remark(unknown("the server has no IPv6 address", ""), here)
	case s.tcp6.Verdict == OK:
		return ok(s.tcp6.Took, here+"; the server answers at "+listed(server))
	case s.tcp6.Verdict == Failed:
		return remark(s.tcp6, here+"; the server has "+listed(server))
	case len(ownIPv6()) == 0:
		return failed(0, carrier.Fail("unreachable", here+"; the server has "+listed(server), nil))
	}
	return s.tcp6
}

func remark(c Check, detail string) Check {
	c.Detail = detail
	return c
}

// ownIPv6 are this machine's addresses that lead beyond the link they are on.
func ownIPv6() (list []netip.Addr) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then it has none that anybody could use
	}
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if addr := prefix.Addr(); err == nil && addr.Is6() && !addr.Is4In6() && addr.IsGlobalUnicast() {
			list = append(list, addr)
		}
	}
	return list
}

// publicIPv6 are those of them that are no private ones (RFC 4193).
func publicIPv6() (list []netip.Addr) {
	for _, a := range ownIPv6() {
		if !a.IsPrivate() {
			list = append(list, a)
		}
	}
	return list
}
