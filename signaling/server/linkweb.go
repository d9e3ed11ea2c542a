package server

import (
	"context"
	"net/http"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/web"
)

// newWeb makes what holds links over plain requests (section 6.7), behind the
// same gates as all others.
func (s *Server) newWeb() *web.Server {
	return web.NewServer(web.ServerConfig{
		Open:   s.openWeb,
		Refuse: s.refuseWeb,
		Heard:  s.heardWeb,
	})
}

// heardWeb takes note of another request of a link. Where links need no token, it may be of one that was made without.
func (s *Server) heardWeb(r *http.Request) {
	if s.cfg.OpenRole == "" {
		s.gate.know(r)
		return
	}
	s.gate.carries(r.Context())
}

// openWeb checks a request that opens a link. The link takes a place at the
// gate of its own, because connections come and go under it, and one may
// carry many.
func (s *Server) openWeb(w http.ResponseWriter, r *http.Request) func(*web.Carrier) {
	p, problem := s.checkLink(r)
	var at *place
	switch {
	case !s.ready.Load():
		problem = draining()
	case problem == nil:
		if at = s.gate.enterLink(address(r), p.guest); at == nil {
			problem = crowded()
		}
	}
	if problem != nil {
		s.refuse(w, problem)
		return nil
	}
	ctx := context.WithoutCancel(r.Context()) // the request may be over long before the link
	return func(c *web.Carrier) {
		defer at.leave()
		if p.guest {
			at.yields(c)
		}
		c.Bound(p.limits())
		s.serveCarrier(ctx, c, p)
	}
}

// refuseWeb refuses a request of a link. Those of links that nobody knows
// count as attempts to open one.
func (s *Server) refuseWeb(w http.ResponseWriter, r *http.Request, no *carrier.Refused) {
	if no.Code.Name == "unknown-link" && !s.gate.mayAsk(r) {
		s.refuse(w, tooFast())
		return
	}
	s.refuse(w, &refusal{code: no.Code.Name, reason: no.Reason, remedy: no.Remedy})
}
