package netcheck

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// shakeHands makes TLS on a connection, if the URL asks for that.
func (s *survey) shakeHands(ctx context.Context) Check {
	s.handshake = ok(0, "")
	if s.secure() {
		s.handshake = s.shakeTLS(ctx)
	}
	return s.handshake
}

func (s *survey) shakeTLS(ctx context.Context) Check {
	raw, err := s.tunnel.DialContext(ctx, "tcp", s.address())
	if err != nil {
		return failed(0, err)
	}
	defer raw.Close()
	cfg := s.tlsConfig("h2", "http/1.1")
	cfg.ServerName = s.host
	conn := tls.Client(raw, cfg)
	began := time.Now()
	err = conn.HandshakeContext(ctx)
	took := time.Since(began)
	if err != nil {
		return failed(took, err)
	}
	state := conn.ConnectionState()
	s.shown = &state
	return ok(took, s.describe(&state))
}

// describe says who is at the other end of TLS.
func (s *survey) describe(state *tls.ConnectionState) string {
	protocol := state.NegotiatedProtocol
	if protocol == "" {
		protocol = "none"
	}
	text := fmt.Sprintf("%s, ALPN %s", tls.VersionName(state.Version), protocol)
	if len(state.PeerCertificates) > 0 {
		leaf := state.PeerCertificates[0]
		text += fmt.Sprintf(", certificate issued by %s, valid until %s, %s",
			carrier.IssuerOf(leaf), leaf.NotAfter.Format(time.DateOnly), s.trust())
	}
	return text
}

const pinned = "pinned"

// trust says why the certificate was taken.
func (s *survey) trust() string {
	switch cfg := s.cfg.Endpoint.TLS; {
	case cfg == nil:
		return "trusted by this system"
	case cfg.InsecureSkipVerify && cfg.VerifyConnection != nil:
		return pinned
	}
	return "trusted by the given authority"
}

// checkTLS is the handshake, and what the server says of it on a link: whether
// the certificate is the server's own.
func (s *survey) checkTLS(context.Context) Check {
	c := s.handshake
	switch {
	case !s.secure():
		return unknown("the URL is http://: there is no TLS", "")
	case c.Verdict != OK:
		return c
	}
	s.intercepted = s.way.Intercepted(s.ownKey)
	switch f := s.intercepted; {
	case f != nil:
		c.Verdict, c.Failure, c.Reason, c.Remedy = Failed, f.Name, f.Reason, f.Remedy
	case s.ownKey != nil:
		c.Detail += ", the server's own"
	case s.trust() != pinned:
		c.Detail += ", not known whether the server's own"
	}
	return c
}
