package netcheck

import (
	"context"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
)

func (s *survey) turnTasks(behind []string) (list []task) {
	for _, rung := range peer.TurnRungs() {
		list = append(list, task{
			name: rung.String(), behind: behind, do: func(ctx context.Context) Check { return s.checkTURN(ctx, rung) },
		})
	}
	return list
}

// checkTURN has the server's TURN servers, as far as they are reached this way, give an address.
func (s *survey) checkTURN(ctx context.Context, rung ladder.Rung) Check {
	servers, why := s.turnServers()
	if why != nil {
		return *why
	}
	cfg := rtc.Config{Dial: s.tunnel.DialContext, TLS: s.cfg.Endpoint.TLS, Log: s.cfg.Endpoint.Log}
	last := unknown("the server names no TURN server that is reached this way", "")
	for _, server := range servers {
		for _, url := range server.URLs {
			if peer.TurnRung(url) != rung {
				continue
			}
			began := time.Now()
			relayed, err := cfg.Allocate(ctx, url, rtc.Server{Username: server.Username, Credential: server.Credential})
			if err == nil {
				return ok(time.Since(began), url+" gives "+relayed.String())
			}
			last = failed(time.Since(began), explainTURN(url, err))
		}
	}
	return last
}

// explainTURN says of which server a failure is.
func explainTURN(url string, err error) *carrier.Failure {
	f := *carrier.Explain(err)
	f.Detail = strings.TrimPrefix(f.Detail+"; "+url, "; ")
	return &f
}

// turnServers are those that the server told on a link. why: what is to be said where there is none.
func (s *survey) turnServers() (list []signal.Server, why *Check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var no Check
	switch {
	case !s.greeted:
		no = unknown("no link came up on which the server could name its TURN servers", "")
	case s.servers == nil && s.device:
		no = unknown("a device is given TURN servers with each viewer", "give a viewer's token")
	case len(s.servers) == 0:
		no = unknown("the server names no TURN server", "")
	default:
		return s.servers, nil
	}
	return nil, &no
}

// turnOverUDP are the addresses of TURN servers over UDP, HOST:PORT.
func (s *survey) turnOverUDP() (list []string) {
	servers, _ := s.turnServers()
	for _, server := range servers {
		for _, url := range server.URLs {
			if peer.TurnRung(url) == ladder.TurnUDP {
				at, _, _ := strings.Cut(strings.TrimPrefix(url, "turn:"), "?")
				list = append(list, at)
			}
		}
	}
	return list
}
