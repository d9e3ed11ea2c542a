package server

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/rest"
	"github.com/telepath-iot/telepath/signaling/room"
)

// newRest makes what answers those who have no client (section 8). The devices
// that post live in this process, and have links like any other.
func (s *Server) newRest() *rest.Rest {
	return rest.New(rest.Config{
		Room: s.room, Key: s.auth.PostsKey, Log: s.cfg.Log,
		Link: s.servePosting, Network: s.postsFrom,
	})
}

// runRest runs it until stop, which waits: who watches a device that posts
// gets what was posted.
func (s *Server) runRest() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = s.rest.Run(ctx) // it says that ctx ended
	}()
	return func() { cancel(); <-over }
}

// servePosting serves the link of a device that posts.
func (s *Server) servePosting(end carrier.Carrier) {
	c := newClient(s, end, auth.Device, "posts")
	c.posting = true
	s.serveDevice(context.Background(), c)
}

// postsFrom is the network of which a post is. This machine, and a trusted proxy that does not tell for whom it asks, may have any
// number of senders, as they may have any number of connections.
func (s *Server) postsFrom(r *http.Request) netip.Addr {
	addr := address(r)
	if addr.IsLoopback() || s.proxies.trust(addr) {
		return netip.Addr{}
	}
	return network(addr)
}

func (s *Server) serveLatest(w http.ResponseWriter, r *http.Request) {
	s.edge(w, r, auth.Viewer, s.rest.ServeLatest)
}

func (s *Server) serveSamples(w http.ResponseWriter, r *http.Request) {
	s.edge(w, r, auth.Device, s.rest.ServeSamples)
}

// edge lets who has the role through to one of the handlers of package rest.
func (s *Server) edge(w http.ResponseWriter, r *http.Request, role auth.Role, serve func(http.ResponseWriter, *http.Request) *room.Refusal) {
	if problem := s.require(r, role); problem != nil {
		s.refuse(w, problem)
		return
	}
	if s.gate.crowded(r) {
		s.refuse(w, crowded())
		return
	}
	if no := serve(w, r); no != nil {
		problem := fromRoom(no)
		if no.Code == "too-many" || no.Code == "rate-limited" {
			problem.again = time.Second
		}
		s.refuse(w, problem)
	}
}
