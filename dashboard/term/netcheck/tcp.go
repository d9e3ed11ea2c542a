package netcheck

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// maxTried bounds to how many addresses of a family connections are tried.
const maxTried = 3

const throughProxy = "connections go through the proxy"

func (s *survey) checkTCP4(ctx context.Context) Check {
	return s.checkTCP(ctx, s.family(false), "the server has no IPv4 address")
}

func (s *survey) checkTCP6(ctx context.Context) Check {
	list := s.family(true)
	if len(list) > 0 && !list[0].IsLoopback() && len(ownIPv6()) == 0 {
		s.tcp6 = unknown("this machine has no IPv6 address", "")
	} else {
		s.tcp6 = s.checkTCP(ctx, list, "the server has no IPv6 address")
	}
	return s.tcp6
}

// checkTCP connects to the first address that answers.
func (s *survey) checkTCP(ctx context.Context, to []netip.Addr, none string) Check {
	switch {
	case s.proxy != nil:
		return unknown(throughProxy, "")
	case len(to) == 0:
		return unknown(none, "")
	}
	var last Check
	for _, a := range to[:min(len(to), maxTried)] {
		address := net.JoinHostPort(a.String(), s.port)
		began := time.Now()
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			conn.Close()
			return ok(time.Since(began), address)
		}
		last = failed(time.Since(began), err)
	}
	return last
}

// reach makes a connection as links do.
func (s *survey) reach(ctx context.Context) Check {
	if s.proxy != nil {
		return ok(0, "") // it was made to find out about the proxy
	}
	began := time.Now()
	conn, err := s.tunnel.DialContext(ctx, "tcp", s.address())
	if err != nil {
		return failed(time.Since(began), err)
	}
	conn.Close()
	return ok(time.Since(began), "")
}
