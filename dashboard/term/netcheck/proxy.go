package netcheck

import (
	"context"
	"fmt"
	"time"
)

// checkProxy connects to the server through the proxy, if there is one.
func (s *survey) checkProxy(ctx context.Context) Check {
	if s.proxy == nil {
		return ok(0, s.noProxy())
	}
	where := fmt.Sprintf("%s, from %s", s.proxy.Redacted(), s.tunnel.Origin())
	began := time.Now()
	conn, err := s.tunnel.DialContext(ctx, "tcp", s.address())
	took := time.Since(began)
	if err != nil {
		c := failed(took, err)
		if c.Detail != "" {
			where += ": " + c.Detail
		}
		return remark(c, where)
	}
	conn.Close()
	if login := s.tunnel.Login(); login != "" {
		return ok(took, fmt.Sprintf("%s; logged in with %s", where, login))
	}
	return ok(took, where+"; open to all")
}

func (s *survey) noProxy() string {
	if from := s.tunnel.Origin(); from != "" {
		return fmt.Sprintf("none: the proxy of %s is not used for this server (NO_PROXY, or an address of this machine)", from)
	}
	return "none"
}
