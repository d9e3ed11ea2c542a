package web

import (
	"io"
	"net/http"
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// ServerConfig joins a Server to what judges requests and serves links.
type ServerConfig struct {
	Config

	// Open judges a request for a new link: token, limits and all else. It
	// returns what serves the link, which runs the carrier to its end in a
	// goroutine of its own; nil: it has refused the request.
	Open func(w http.ResponseWriter, r *http.Request) (serve func(*Carrier))

	// Refuse answers all other requests that get no packet.
	Refuse func(w http.ResponseWriter, r *http.Request, no *carrier.Refused)

	// Heard is told of each other request of a link that is there; nil: nobody is.
	Heard func(r *http.Request)
}

// Server holds the server's side of links over HTTP. Its handlers bound
// requests in time and size themselves, whatever the http.Server does. How
// many links there may be is Open's to say.
type Server struct {
	cfg    ServerConfig
	bodies sync.Pool // of *[]byte

	mu    sync.Mutex
	links map[linkID]*host
}

// NewServer makes a server without links.
func NewServer(cfg ServerConfig) *Server {
	return &Server{
		cfg: cfg, links: make(map[linkID]*host),
		bodies: sync.Pool{New: func() any { return new([]byte) }},
	}
}

// ServeStream handles GET …/sse.
func (s *Server) ServeStream(w http.ResponseWriter, r *http.Request) {
	id, ok := parseLinkID(r.Header.Get(HeaderLink))
	if !ok {
		s.cfg.Refuse(w, r, badHeader(HeaderLink))
		return
	}
	if !isEmpty(r.Body) {
		s.cfg.Refuse(w, r, malformed("a request for answers has no body"))
		return
	}
	serve := s.cfg.Open(w, r)
	if serve == nil {
		return
	}
	st := newStreamer(s.cfg.Config, w)
	s.run(id, st.host, serve)
	st.write(w, r)
}

// ServePoll handles POST …/poll.
func (s *Server) ServePoll(w http.ResponseWriter, r *http.Request) {
	id, okID := parseLinkID(r.Header.Get(HeaderLink))
	n, okSeq := parseSeq(r.Header)
	limit, okMax := parseMax(r.Header)
	switch {
	case !okID:
		s.cfg.Refuse(w, r, badHeader(HeaderLink))
	case !okSeq:
		s.cfg.Refuse(w, r, badHeader(headerSeq))
	case !okMax:
		s.cfg.Refuse(w, r, badHeader(headerMax))
	case !isEmpty(r.Body):
		s.cfg.Refuse(w, r, malformed("a request for answers has no body"))
	default:
		if p := s.poller(w, r, id, n); p != nil {
			s.answer(w, r, p, n, limit)
		}
	}
}

// isEmpty reads a body that has nothing in it to its end, within the server's time for that. Such a request is answered when there
// is something to say; net/http reads what was announced of its body before that, and would wait for it for ever.
func isEmpty(body io.Reader) bool {
	_, err := io.ReadFull(body, make([]byte, 1))
	return err == io.EOF
}

// poller finds the link of a poll, or opens it. Nil: the request is refused.
func (s *Server) poller(w http.ResponseWriter, r *http.Request, id linkID, n uint64) *poller {
	h := s.find(id)
	if h == nil && n == 1 {
		serve := s.cfg.Open(w, r)
		if serve == nil {
			return nil
		}
		p := newPoller(s.cfg.Config)
		s.run(id, p.host, serve)
		return p
	}
	switch {
	case h == nil:
		s.cfg.Refuse(w, r, unknownLink())
	case h.poller == nil:
		s.cfg.Refuse(w, r, malformed("this link has an event stream: it is not polled"))
	default:
		s.heard(r)
		return h.poller
	}
	return nil
}

func (s *Server) heard(r *http.Request) {
	if s.cfg.Heard != nil {
		s.cfg.Heard(r)
	}
}

// run serves a new link until it is over. An older one of the same id is
// closed: its client has begun anew.
func (s *Server) run(id linkID, h *host, serve func(*Carrier)) {
	s.mu.Lock()
	older := s.links[id]
	s.links[id] = h
	s.mu.Unlock()
	if older != nil {
		older.c.Close(wire.CodeByName("taken-over"), "the same link was opened again")
	}
	go func() {
		serve(h.c)
		h.c.Close(wire.CodeByName("internal"), "nobody serves this link")
		<-h.c.life.Over()
		s.forget(id, h)
	}()
}

func (s *Server) find(id linkID) *host {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[id]
}

func (s *Server) forget(id linkID, h *host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links[id] == h {
		delete(s.links, id)
	}
}

func badHeader(name string) *carrier.Refused {
	return malformed("the header " + name + " is missing or makes no sense")
}

func malformed(reason string) *carrier.Refused {
	return refused("malformed", reason, "see docs/protocol.md, section 6.7")
}

func unknownLink() *carrier.Refused {
	return refused("unknown-link", "there is no such link, or it is over", "open a new one")
}

func refused(code, reason, remedy string) *carrier.Refused {
	c := wire.CodeByName(code)
	return &carrier.Refused{Status: c.HTTP, Code: c, Reason: reason, Remedy: remedy}
}
