package netcheck

import (
	"context"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// channelTasks are the rungs of links over data channels, which do not race:
// UDP, and TCP (ICE-TCP, RFC 6544), to the server's own port.
func (s *survey) channelTasks(behind []string) (list []task) {
	for _, rung := range peer.ChannelRungs() {
		list = append(list, task{
			name: rung.String(), after: []string{nameHTTP1}, behind: behind,
			do: func(ctx context.Context) Check { return s.checkChannels(ctx, rung) },
		})
	}
	return list
}

// checkChannels opens a link over data channels to the server, waits for its
// first word, and leaves.
func (s *survey) checkChannels(ctx context.Context, rung ladder.Rung) Check {
	began := time.Now()
	c, err := s.way.OpenChannels(ctx, rung)
	if err != nil {
		return s.noChannels(time.Since(began), err)
	}
	l := runLink(c)
	err = l.greet(ctx, muteTime)
	took := time.Since(began)
	l.leave()
	if err != nil {
		return s.noChannels(took, err)
	}
	return ok(took, c.Pair())
}

func (s *survey) noChannels(took time.Duration, err error) Check {
	f := explain(err)
	if s.lacksToken(f) {
		return noToken()
	}
	return failed(took, f)
}
