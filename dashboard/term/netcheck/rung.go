package netcheck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
)

// muteTime is how long an open link may stay without a word of the server's,
// as in a race of rungs.
const muteTime = 2 * time.Second

// muteNames are the failures of links that were opened and stayed mute.
var muteNames = map[ladder.Rung]string{ladder.WS: "upgrade-stalled", ladder.SSE: "stream-buffered", ladder.Poll: "cut"}

func (s *survey) rungTasks(bound time.Duration) (list []task) {
	for _, rung := range peer.LinkRungs() {
		list = append(list, task{
			name: rung.String(), bound: bound, after: []string{stepHandshake, nameHTTP1},
			do: func(ctx context.Context) Check { return s.checkRung(ctx, rung) },
		})
	}
	return list
}

func (s *survey) latencyTasks(bound time.Duration) (list []task) {
	for _, rung := range peer.LinkRungs() {
		list = append(list, task{
			name: latencyPrefix + rung.String(), bound: bound, after: []string{rung.String()},
			do: func(ctx context.Context) Check { return s.checkLatency(ctx, rung) },
		})
	}
	return list
}

func names(tasks []task) (list []string) {
	for _, t := range tasks {
		list = append(list, t.name)
	}
	return list
}

// checkRung opens a link and waits for the server's first word on it. A link
// that has it stays open, to be measured.
func (s *survey) checkRung(ctx context.Context, rung ladder.Rung) Check {
	began := time.Now()
	c, err := s.way.Open(ctx, rung)
	if err != nil {
		return s.noLink(rung, time.Since(began), err)
	}
	l := runLink(c)
	err = l.greet(ctx, muteTime)
	took := time.Since(began)
	if err != nil {
		l.leave()
		return s.noLink(rung, took, err)
	}
	l.askServers(ctx)
	s.keep(rung, l)
	return ok(took, fmt.Sprintf("linked with server %q", l.greeted.Server))
}

// noLink names what kept a link from coming up.
func (s *survey) noLink(rung ladder.Rung, took time.Duration, err error) Check {
	if errors.Is(err, errMute) {
		return failed(took, carrier.Fail(muteNames[rung], "within "+view.Short(took), err))
	}
	f := explain(err)
	switch {
	case s.lacksToken(f):
		return noToken()
	case f.Name == "timeout": // HTTP was answered a moment ago
		f = carrier.Fail(muteNames[rung], "no answer to the request", err)
	}
	return failed(took, f)
}

// lacksToken reports whether a refusal is for want of a token.
func (s *survey) lacksToken(f *carrier.Failure) bool {
	return f.Name == "unauthorized" && s.cfg.Endpoint.Token == ""
}

func noToken() Check { return unknown("no token", "give --token-file, or TELEPATH_TOKEN") }

// probes is how many round trips are measured on each link.
const probes = 5

// checkLatency measures a link, and leaves it.
func (s *survey) checkLatency(ctx context.Context, rung ladder.Rung) Check {
	defer s.leave(rung)
	l := s.kept(rung)
	began := time.Now()
	var trips []time.Duration
	for id := range uint64(probes) {
		rtt, clock, err := l.probe(ctx, id+1)
		if err != nil && len(trips) == 0 {
			return s.noLink(rung, time.Since(began), err)
		}
		if err != nil {
			break
		}
		trips = append(trips, rtt)
		s.addTime(clock)
	}
	slices.Sort(trips)
	return ok(trips[len(trips)/2], fmt.Sprintf("median of %d round trips, %s to %s",
		len(trips), view.Short(trips[0]), view.Short(trips[len(trips)-1])))
}

func (s *survey) keep(rung ladder.Rung, l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[rung] = l
	if s.ownKey == nil {
		s.ownKey = l.greeted.TLS
	}
	s.greeted, s.device = true, l.greeted.Type == signal.Challenge
	if l.greeted.UDP != nil {
		s.udp = l.greeted.UDP
	}
	if l.servers != nil {
		s.servers = l.servers
	}
}

func (s *survey) kept(rung ladder.Rung) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[rung]
}

// leave ends a rung's link, if it is open.
func (s *survey) leave(rung ladder.Rung) {
	s.mu.Lock()
	l := s.links[rung]
	delete(s.links, rung)
	s.mu.Unlock()
	if l != nil {
		l.leave()
	}
}

// close leaves what is still open.
func (s *survey) close() {
	for _, rung := range peer.LinkRungs() {
		s.leave(rung)
	}
	if s.socket != nil {
		s.socket.Close()
	}
}
