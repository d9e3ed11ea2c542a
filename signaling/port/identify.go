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
func (t *TCP) identify(ctx context.Context, raw net.Conn, identified func()) {
	defer identified()
	ctx, cancel := context.WithTimeout(ctx, t.cfg.FirstBytes)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = raw.SetDeadline(deadline) // an error shows when reading
	conn := &peeked{Wrapped: Wrapped{raw}}
	k, err := conn.peek()
	switch {
	case err != nil:
		t.drop(conn, Silent)
	case k == isTLS && t.cfg.TLS != nil:
		t.endTLS(ctx, tls.Server(conn, t.cfg.TLS))
	default:
		t.handTo(ctx, conn, k)
	}
}

// endTLS ends TLS. What its client agreed on in there says whose the
// connection is, or its first bytes do.
func (t *TCP) endTLS(ctx context.Context, conn *tls.Conn) {
	if err := conn.HandshakeContext(ctx); err != nil {
		t.cfg.Log.Debug("TLS was not agreed on", "from", conn.RemoteAddr().String(), "err", err)
		t.drop(conn.NetConn(), BadTLS)
		return
	}
	switch conn.ConnectionState().NegotiatedProtocol {
	case alpnHTTP2, alpnHTTP1:
		t.hand(ctx, HTTP, conn) // as the *tls.Conn that HTTP/2 needs
	case "", alpnTURN:
		t.lookInside(ctx, conn)
	default: // whose answer was the handshake itself, such as acme-tls/1
		conn.Close()
	}
}

func (t *TCP) lookInside(ctx context.Context, conn *tls.Conn) {
	inner := secure{&peeked{Wrapped: Wrapped{conn}}, conn}
	switch k, err := inner.peek(); {
	case err != nil:
		t.drop(conn.NetConn(), Silent)
	case k == isHTTP || k == isTURN:
		t.handTo(ctx, inner, k)
	default: // browsers do no ICE in TLS
		t.drop(conn.NetConn(), Unknown)
	}
}

func (t *TCP) handTo(ctx context.Context, conn net.Conn, k kind) {
	switch k {
	case isHTTP, isTLS:
		t.hand(ctx, HTTP, conn)
	case isTURN:
		t.hand(ctx, TURN, conn)
	case isICE:
		t.hand(ctx, ICE, conn)
	default:
		t.drop(conn, Unknown)
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
