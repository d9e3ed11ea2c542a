package server

import (
	"context"

	"github.com/telepath-iot/telepath/peer/signal"
)

// firstConn is the number of the Conn that a request opens (section 6.1).
const firstConn = 1

// serveViewer serves a viewer's link until it is over. What the viewer asked
// for in its request is on its way before it has said anything on the link.
func (s *Server) serveViewer(ctx context.Context, c *client, p pass) {
	v := s.room.Enter(c, c.role, c.host)
	v.Until(c.expires)
	c.handle, c.expired = v.Handle, v.Expel
	c.tell(signal.Message{
		Type: signal.Welcome, Server: s.cfg.Name, TLS: p.hash, Intercepted: p.intercepted, Role: string(c.role), Time: nowMicros(), UDP: p.udp,
	})
	if p.open != nil {
		v.Open(firstConn, p.open.message, p.open.body)
	}
	c.run(ctx)
	v.Leave()
}
