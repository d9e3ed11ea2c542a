package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// ServeUp handles POST …/up.
func (s *Server) ServeUp(w http.ResponseWriter, r *http.Request) {
	if no := s.up(w, r); no != nil {
		s.cfg.Refuse(w, r, no)
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(s.timeout()))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// up takes a request's packet. Who does not know a link is refused before a
// byte of the body is read.
func (s *Server) up(w http.ResponseWriter, r *http.Request) *carrier.Refused {
	id, ok := parseLinkID(r.Header.Get(HeaderLink))
	if !ok {
		return badHeader(HeaderLink)
	}
	n, ok := parseSeq(r.Header)
	if !ok {
		return badHeader(headerSeq)
	}
	h := s.find(id)
	if h == nil {
		return unknownLink()
	}
	s.heard(r)
	defer h.ups.Add(-1)
	if h.ups.Add(1) > maxUps {
		return refused("too-many", "more requests at once than a link needs", "send fewer packets at a time")
	}
	return s.upTo(h, n, w, r)
}

func (s *Server) upTo(h *host, n uint64, w http.ResponseWriter, r *http.Request) *carrier.Refused {
	if r.ContentLength > wire.MaxPacket {
		return tooLarge()
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.timeout()))
	buf := s.bodies.Get().(*[]byte)
	defer s.bodies.Put(buf)
	u := up{n: n, ahead: r.Header.Get(headerAhead) != ""}
	body := heldBody{body: r.Body, h: h, early: h.waits(u)}
	defer body.release()
	var err error
	*buf, err = readBody(&body, *buf)
	u.packet = *buf
	switch {
	case errors.Is(err, errTooLong):
		return tooLarge()
	case errors.Is(err, errTooMuch):
		return refused("too-many", "more waits for packets before it than a link needs", "send fewer packets at a time")
	case err != nil:
		return malformed("the body broke off")
	}
	_ = control.SetReadDeadline(time.Time{}) // the packet may have to wait for its turn
	return h.takeUp(r.Context(), u)
}

func tooLarge() *carrier.Refused {
	return refused("too-large", fmt.Sprintf("a packet has more than %d bytes", wire.MaxPacket), "see docs/protocol.md, section 3")
}

func (s *Server) timeout() time.Duration {
	if s.cfg.Timeout == 0 {
		return defaultTimeout
	}
	return s.cfg.Timeout
}
