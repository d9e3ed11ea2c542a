package rtc

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// stateChanged ends the connection when pion gives it up.
func (p *Peer) stateChanged(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateFailed:
		p.life.Stop(p.failure())
	case webrtc.PeerConnectionStateClosed:
		if !p.cfg.server || !p.isReady() { // the server's last word may be unread
			p.life.Stop(carrier.ErrClosed) // unless it was we who closed it: then there is a reason already
		}
	}
}

// boundChecking gives up a connection that finds no path in time. pion's own
// bound would be that for one which had a path and lost it, which is worth more patience.
func (p *Peer) boundChecking(s webrtc.ICEConnectionState) {
	if s != webrtc.ICEConnectionStateChecking {
		return
	}
	time.AfterFunc(iceChecking, func() {
		if p.pc.ICEConnectionState() == webrtc.ICEConnectionStateChecking {
			p.life.Stop(p.failure())
		}
	})
}

// Stuck says why there is no path yet, for the people at both ends.
func (p *Peer) Stuck() error {
	switch {
	case !p.cfg.RelayOnly && p.remote.overTCP():
		return carrier.Fail("tcp-blocked", "", nil)
	case !p.cfg.RelayOnly:
		return carrier.Fail("udp-blocked", "", nil)
	case p.relayed.Load():
		return carrier.Fail("turn-no-path", "", nil)
	}
	if last := p.relays.last.Load(); last != nil {
		return carrier.Fail("turn-unreachable", last.Brief(), last)
	}
	return carrier.Fail("turn-unreachable", "", nil)
}

// failure says why there is no path any more.
func (p *Peer) failure() error {
	pair, state := p.Pair(), p.pc.ICEConnectionState()
	switch {
	case state != webrtc.ICEConnectionStateFailed && state != webrtc.ICEConnectionStateChecking:
		return errors.New("the DTLS handshake failed: the other end's certificate does not match its description, or packets were changed on the way")
	case pair != "":
		return fmt.Errorf("nothing came for %v between %s: the network changed, or it is blocked now", iceDisconnected+iceFailed, pair)
	case p.cfg.RelayOnly:
		return p.Stuck()
	case p.remote.count() == 0:
		return errors.New("the other end offered no address that may be used: it has no network, or hides its addresses and this network resolves no .local names")
	case p.remote.overTCP():
		return p.Stuck()
	default:
		return fmt.Errorf("no packet came through to any of the other end's %d addresses: a firewall or NAT between the two ends blocks UDP", p.remote.count())
	}
}

// readError is what the end of a channel means. SCTP's and DTLS's goodbyes
// arrive in either order.
func (p *Peer) readError(err error) error {
	if errors.Is(err, io.EOF) || strings.Contains(err.Error(), "User Initiated Abort") {
		return carrier.ErrClosed
	}
	return fmt.Errorf("read from a data channel: %w", err)
}

// pairChanged notes which path ICE has taken.
func (p *Peer) pairChanged(pair *webrtc.ICECandidatePair) {
	if pair == nil || pair.Local == nil || pair.Remote == nil {
		return
	}
	text := fmt.Sprintf("%s %s:%d and %s %s:%d",
		pair.Local.Typ, pair.Local.Address, pair.Local.Port, pair.Remote.Typ, pair.Remote.Address, pair.Remote.Port)
	p.pair.Store(&text)
	from := baseOf(pair.Local)
	p.from.Store(&from)
	rung := rungOf(pair.Local)
	if p.cfg.server {
		rung = rungToServer[rung]
	}
	p.rung.Store(int32(rung))
}

// baseOf is the address that a local candidate is bound to (RFC 8445, section 4); invalid: not known.
func baseOf(local *webrtc.ICECandidate) netip.Addr {
	text := local.RelatedAddress
	if local.Typ == webrtc.ICECandidateTypeHost {
		text = local.Address
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// rungToServer is what a pair makes where the server is one end of it.
var rungToServer = map[ladder.Rung]ladder.Rung{ladder.UDP: ladder.RelayUDP, ladder.TCP: ladder.RelayTCP}

// firstRung is the rung as long as there is no pair.
func (cfg Config) firstRung() ladder.Rung {
	switch {
	case cfg.RelayOnly:
		return ladder.TurnUDP
	case !cfg.server && cfg.NoUDP:
		return ladder.TCP
	case !cfg.server:
		return ladder.UDP
	case cfg.NoUDP:
		return ladder.RelayTCP
	default:
		return ladder.RelayUDP
	}
}

// rungOf is the rung of a candidate pair: what this end knows, its own hop.
func rungOf(local *webrtc.ICECandidate) ladder.Rung {
	switch {
	case local.Typ == webrtc.ICECandidateTypeRelay && local.RelatedPort == relatedTLS:
		return ladder.TurnTLS
	case local.Typ == webrtc.ICECandidateTypeRelay && local.RelatedPort == relatedTCP:
		return ladder.TurnTCP
	case local.Typ == webrtc.ICECandidateTypeRelay:
		return ladder.TurnUDP
	case local.Protocol == webrtc.ICEProtocolTCP:
		return ladder.TCP
	default:
		return ladder.UDP
	}
}
