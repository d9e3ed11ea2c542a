package server

import (
	"fmt"
	"net/netip"
	"strings"
)

// proxies are the networks whose word counts on where a connection or a
// request comes from. Nobody's does unless --trust-proxy names them: whoever
// may say where he comes from, is bound by no limit and shown in no log.
type proxies []netip.Prefix

// ParseProxies reads networks (10.0.0.0/8) and single addresses.
func ParseProxies(list []string) ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for _, text := range list {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if addr, bad := netip.ParseAddr(text); bad == nil && addr.Zone() == "" {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil || p.Addr().Is4In6() {
			return nil, fmt.Errorf("%.80q is not a network: give one such as 10.0.0.0/8 or fd00::/8, or an address", text)
		}
		nets = append(nets, p.Masked())
	}
	return nets, nil
}

func (p proxies) trust(addr netip.Addr) bool {
	for _, net := range p {
		if net.Contains(addr) { // neither 4-in-6 nor with a zone: plain(addr)
			return true
		}
	}
	return false
}

// plain is the one form of an address that counts and compares.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
