package port

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"time"
)

// Protocols that are agreed on in TLS (RFC 7301). TURN has a name there, too
// (RFC 7443), but hardly anybody tells it.
const (
	alpnHTTP2 = "h2"
	alpnHTTP1 = "http/1.1"
	alpnTURN  = "stun.turn"
)

// forSides is a TLS configuration that agrees on the protocols of the sides.
// TURN's comes first: who offers it, as coturn's client does beside HTTP's, means it.
func forSides(cfg *tls.Config) *tls.Config {
	cfg = cfg.Clone()
	cfg.NextProtos = slices.Insert(slices.Clone(cfg.NextProtos), 0, alpnTURN)
	for _, name := range []string{alpnHTTP2, alpnHTTP1} {
		if !slices.Contains(cfg.NextProtos, name) {
			cfg.NextProtos = append(cfg.NextProtos, name)
		}
	}
	return cfg
}

// identify finds out whose a connection is and hands it over, or closes it.
// From identified on, nobody closes it for having waited: whoever takes it may
// be using it before hand has returned.
func (t *TCP) identify(ctx context.Context, raw net.Conn, identified func()) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.FirstBytes)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = raw.SetDeadline(deadline) // an error shows when reading
	conn, side := t.whose(ctx, raw)
	identified()
	if conn != nil {
		t.hand(ctx, side, conn)
	}
}

// whose says which side a connection is for, with the connection as that side
// reads it. One that is for none is closed: nil.
func (t *TCP) whose(ctx context.Context, raw net.Conn) (net.Conn, Side) {
	conn := &peeked{Wrapped: Wrapped{raw}}
	k, err := conn.peek()
	switch {
	case err != nil:
		return t.drop(conn, Silent)
	case k == isTLS && t.cfg.TLS != nil:
		return t.endTLS(ctx, tls.Server(conn, t.cfg.TLS))
	default:
		return t.byKind(conn, k)
	}
}

// endTLS ends TLS. What its client agreed on in there says whose the
// connection is, or its first bytes do.
func (t *TCP) endTLS(ctx context.Context, conn *tls.Conn) (net.Conn, Side) {
	if err := conn.HandshakeContext(ctx); err != nil {
		t.cfg.Log.Debug("TLS was not agreed on", "from", conn.RemoteAddr().String(), "err", err)
		why := BadTLS
		if ctx.Err() != nil {
			why = Silent
		}
		return t.drop(conn.NetConn(), why)
	}
	switch conn.ConnectionState().NegotiatedProtocol {
	case alpnHTTP2, alpnHTTP1:
		return conn, HTTP // as the *tls.Conn that HTTP/2 needs
	case "", alpnTURN:
		return t.lookInside(conn)
	default: // whose answer was the handshake itself, such as acme-tls/1
		conn.Close()
		return nil, 0
	}
}

func (t *TCP) lookInside(conn *tls.Conn) (net.Conn, Side) {
	inner := secure{&peeked{Wrapped: Wrapped{conn}}, conn}
	switch k, err := inner.peek(); {
	case err != nil:
		return t.drop(conn.NetConn(), Silent)
	case k == isHTTP || k == isTURN:
		return t.byKind(inner, k)
	default: // browsers do no ICE in TLS
		return t.drop(conn.NetConn(), Unknown)
	}
}

func (t *TCP) byKind(conn net.Conn, k kind) (net.Conn, Side) {
	switch k {
	case isHTTP, isTLS:
		return conn, HTTP
	case isTURN:
		return conn, TURN
	case isICE:
		return conn, ICE
	default:
		return t.drop(conn, Unknown)
	}
}

// hand waits for its side to take a connection.
func (t *TCP) hand(ctx context.Context, side Side, conn net.Conn) {
	l := t.taken[side].Load()
	if l == nil {
		t.drop(conn, Unserved)
		return
	}
	_ = conn.SetDeadline(time.Time{})
	select {
	case <-l.closed:
		t.drop(conn, Unserved)
	case l.ready <- conn:
		t.counts.served[side].Add(1)
	case <-ctx.Done():
		t.drop(conn, Busy)
	}
}
