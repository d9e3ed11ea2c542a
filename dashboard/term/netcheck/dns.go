package netcheck

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// maxListed bounds how many addresses are shown.
const maxListed = 4

// checkDNS looks the server's name up.
func (s *survey) checkDNS(ctx context.Context) Check {
	if literal, err := netip.ParseAddr(s.host); err == nil {
		s.addresses = []netip.Addr{literal.Unmap()}
		return ok(0, "the URL has an address: nothing to look up")
	}
	began := time.Now()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", s.host)
	took := time.Since(began)
	if err != nil && s.proxy != nil {
		return unknown("not known here, and not needed: the proxy looks the name up", "")
	}
	if err != nil {
		return failed(took, err)
	}
	for _, a := range found {
		s.addresses = append(s.addresses, a.Unmap())
	}
	return ok(took, listed(s.addresses))
}

func listed(addresses []netip.Addr) string {
	var texts []string
	for _, a := range addresses[:min(len(addresses), maxListed)] {
		texts = append(texts, a.String())
	}
	text := strings.Join(texts, ", ")
	if more := len(addresses) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// family are the server's addresses of one family.
func (s *survey) family(v6 bool) (list []netip.Addr) {
	for _, a := range s.addresses {
		if a.Is6() == v6 {
			list = append(list, a)
		}
	}
	return list
}
