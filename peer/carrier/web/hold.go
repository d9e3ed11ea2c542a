package web

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// holdTime is how long a request is held when there is nothing to say: half
	// of the default keep alive.
	holdTime = 1500 * time.Millisecond

	// firstHoldTime is how long the first one waits for somebody to serve the
	// link, who has something to say.
	firstHoldTime = 50 * time.Millisecond
)

// answer answers a poll, when there is something to say.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, p *poller, n uint64, limit int) {
	seat := p.sit(n, limit)
	if seat == nil {
		s.cfg.Refuse(w, r, malformed("answers must be asked for one by one, and this is not the next"))
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the body is over, the request is not
	packet, end := p.hold(r, seat, n, limit)
	switch end {
	case superseded:
		s.cfg.Refuse(w, r, refused("taken-over", "another request asked for the same answer", "ask one at a time"))
	case answered:
		_ = control.SetWriteDeadline(time.Now().Add(p.c.cfg.Timeout))
		h := w.Header()
		untouched(h)
		setSeq(h, n)
		if n == 1 {
			h.Set(headerAhead, strconv.Itoa(maxAhead))
		}
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", strconv.Itoa(len(packet)))
		_, err := w.Write(packet)
		p.written(seat, err == nil)
	}
}

// hold waits until there is an answer for the request n on seat, or none is
// wanted any more: its client has gone, and it waits for ever.
func (p *poller) hold(r *http.Request, seat chan struct{}, n uint64, limit int) ([]byte, fate) {
	if n == 1 {
		p.awaitServed()
	}
	patience := time.NewTimer(holdTime)
	defer patience.Stop()
	for must := n == 1; ; {
		if packet, end := p.try(seat, limit, must); end != waiting {
			p.c.tap.Wake() // who took this one's place may have missed something
			return packet, end
		}
		select {
		case <-p.c.tap.Ready():
		case <-p.c.life.Ending().Done(): // try has an answer now
		case <-seat: // superseded
		case <-patience.C:
			must = true
		case <-r.Context().Done():
			p.stand(seat)
			p.c.tap.Wake()
			return nil, waiting
		}
	}
}

// awaitServed gives those who serve a new link a moment to say what they have
// to say, so that the first answer brings it.
func (p *poller) awaitServed() {
	moment := time.NewTimer(firstHoldTime)
	defer moment.Stop()
	select {
	case <-p.running:
	case <-p.gone:
	case <-moment.C:
	}
}
