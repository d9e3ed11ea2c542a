package peer

import (
	"context"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/carrier/tunnel"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// LinkRungs are the rungs of links that race, best first.
func LinkRungs() []ladder.Rung { return append([]ladder.Rung(nil), linkRungs...) }

// LinkWords names the rung of a link for people.
func LinkWords(rung ladder.Rung) string { return rungWords[rung] }

// Way opens links to a server one at a time, just as Conns and Hosts do, but
// without a race: for who wants to know how each rung fares. It is safe for
// concurrent use.
type Way struct{ road *road }

// NewWay prepares the way to an endpoint. It sends nothing.
func NewWay(e Endpoint) (*Way, error) {
	r, err := newRoad(e)
	return &Way{r}, err
}

// Tunnel makes the way's TCP connections, through a proxy if need be.
func (w *Way) Tunnel() *tunnel.Dialer { return w.road.tunnel }

// Open opens a link. The server's refusal is a *carrier.Refused, all other
// trouble a *carrier.Failure.
func (w *Way) Open(ctx context.Context, rung ladder.Rung) (carrier.Carrier, error) {
	return w.road.open(ctx, rung, nil, func() {})
}

// ChannelRungs are the rungs of links over data channels, best first.
func ChannelRungs() []ladder.Rung { return []ladder.Rung{ladder.RelayUDP, ladder.RelayTCP} }

// OpenChannels opens a link over data channels, on one of their rungs. Errors
// are those of Open. A server on loopback is reached only after a link of Open's.
func (w *Way) OpenChannels(ctx context.Context, rung ladder.Rung) (*rtc.Peer, error) {
	return w.road.dialChannels(ctx, rung != ladder.RelayUDP, rung != ladder.RelayTCP)
}

// Intercepted compares the hash of its public key that the server gives in its
// first words on a link with that of the certificate that was shown. Nil:
// they are the same, or there is nothing to compare.
func (w *Way) Intercepted(own []byte) *carrier.Failure { return w.road.intercepted(own) }
