package server

import (
	"context"

	"github.com/telepath-iot/telepath/peer/signal"
)

// firstConn is the number of the Conn that a request opens (section 6.1).
const firstConn = 1

// serveViewer serves a viewer's link until it is over. What the viewer asked
// for in its request is on its way before it has said anything on the link.
func (s *Server) serveViewer(ctx context.Context, c *client, open *openRequest) {
	v := s.room.Enter(c, c.role, c.host)
	c.handle = v.Handle
	c.tell(signal.Message{Type: signal.Welcome, Server: s.cfg.Name, TLS: s.keyHash, Role: string(c.role), Time: nowMicros()})
	if open != nil {
		v.Open(firstConn, open.message, open.body)
	}
	c.run(ctx)
	v.Leave()
}
