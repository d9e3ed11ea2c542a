package server

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/wire"
)

const sdpType = "application/sdp"

// openTime is how long a client may take from our answer to open channels.
const openTime = 10 * time.Second

// serveChannels answers an offer of data channels with a link over them (section
// 6.10). Like other links that are not their request it takes a place at the
// gate of its own, and until its channels are open one among the openings.
func (s *Server) serveChannels(w http.ResponseWriter, r *http.Request) {
	p, problem := s.checkLink(r)
	if problem != nil {
		s.refuse(w, problem)
		return
	}
	offer, problem := readOffer(w, r)
	if problem != nil {
		s.refuse(w, problem)
		return
	}
	from := address(r)
	at := s.gate.enterLink(from, p.guest)
	if at == nil {
		s.refuse(w, crowded())
		return
	}
	if !s.channels.openings.enter(from) {
		at.leave()
		s.refuse(w, crowded())
		return
	}
	end, answer, err := s.channels.host.Answer(offer, s.reachedAt(r))
	if err != nil {
		s.channels.openings.leave(from, failed)
		at.leave()
		s.refuse(w, &refusal{code: "malformed", reason: "the offer: " + err.Error(), remedy: "see docs/protocol.md, section 6.10"})
		return
	}
	if p.guest {
		at.yields(end)
	}
	ctx := context.WithoutCancel(r.Context()) // the request is over long before the link
	s.channels.tasks.Go(func() {
		defer at.leave()
		s.runChannels(ctx, end, from, p)
	})
	w.Header().Set("Content-Type", sdpType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer) // whoever did not get it is gone in openTime
}

// runChannels serves a link from our answer to its end.
func (s *Server) runChannels(ctx context.Context, end *rtc.Peer, from netip.Addr, p pass) {
	opening, enough := context.WithTimeout(s.channels.life, openTime)
	defer enough()
	if err := end.Await(opening); err != nil {
		s.channels.openings.leave(from, failed)
		s.cfg.Log.Debug("data channels did not open", "from", from, "err", err)
		return
	}
	s.channels.openings.leave(from, opened)
	end.Bound(p.limits())
	s.serveCarrier(ctx, end, p)
}

// readOffer reads the body of a request for data channels, whose content
// package rtc checks.
func readOffer(w http.ResponseWriter, r *http.Request) (string, *refusal) {
	if r.Header.Get("Content-Type") != sdpType {
		return "", &refusal{code: "malformed", reason: "the body is not " + sdpType, remedy: "see docs/protocol.md, section 6.10"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxSDP))
	switch {
	case err == nil:
		return string(body), nil
	case isTooLarge(err):
		return "", &refusal{code: "too-large", reason: "the offer is larger than 16 KiB", remedy: "leave candidates out of it"}
	}
	return "", &refusal{code: "malformed", reason: "the offer broke off", remedy: "send it again"}
}
