package peer

import (
	"context"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// direct is a data-channel connection: an rtc.Peer, or what stands for it in tests.
type direct interface {
	carrier.Carrier
	Offer() (sdp string, err error)
	Answer(offer string) (sdp string, err error)
	SetAnswer(sdp string) error
	AddCandidate(candidate, mid string) error
	Ready() <-chan struct{}
}

// newDirect makes one end of a data-channel connection.
type newDirect func(cfg rtc.Config, on rtc.Events) (direct, error)

func newRTC(cfg rtc.Config, on rtc.Events) (direct, error) { return rtc.NewOfferer(cfg, on) }

// attempt is one data-channel connection of a Conn, from its making to its end.
type attempt struct {
	kind     kind
	number   uint64
	leg      *leg // its carrier is set before made is called
	stop     context.CancelFunc
	peer     direct           // nil until made
	remote   []signal.Message // candidates that came before peer was made; at most maxEarly
	local    []signal.Message // own candidates, kept to be told again; package rtc bounds them
	first    signal.Message   // the description, once made
	asked    bool             // the description rode in an open that is not answered yet
	told     bool             // the description was sent, and candidates may follow
	answered bool             // the other end's description has come
	ready    bool             // the channels are open
	proved   bool             // an echo has come on it: at provedAt
	provedAt time.Duration
}

// watch calls opened when the connection's channels open, or gives it up when
// they have not in time. It returns when there is nothing more to watch.
func (t *attempt) watch(ctx context.Context, peer direct, giveUp context.CancelCauseFunc, opened func()) {
	timer := time.NewTimer(attemptTime)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-peer.Ready():
		opened()
	case <-timer.C:
		giveUp(stuck{why(peer)})
	}
}

// stuck is why an attempt was given up that has no open channels in time.
type stuck struct{ error }

// why a connection has found no way: it knows best itself.
func why(peer direct) error {
	if p, ok := peer.(interface{ Stuck() error }); ok {
		return p.Stuck()
	}
	return carrier.Fail("udp-blocked", "", nil)
}

// maker makes the peer connection and the description that goes to the other end.
type maker func(fresh newDirect, cfg rtc.Config, on rtc.Events) (direct, signal.Message, error)

// offer makes the viewer's half of an attempt.
func offer(k kind, number uint64) maker {
	return func(fresh newDirect, cfg rtc.Config, on rtc.Events) (direct, signal.Message, error) {
		peer, err := fresh(cfg, on)
		if err != nil {
			return nil, signal.Message{}, err
		}
		sdp, err := peer.Offer()
		return peer, signal.Message{Type: signal.Offer, Attempt: number, Turned: k == turned, SDP: sdp}, closing(peer, err)
	}
}

// answer makes the device's half.
func answer(number uint64, offer string) maker {
	return func(fresh newDirect, cfg rtc.Config, on rtc.Events) (direct, signal.Message, error) {
		peer, err := fresh(cfg, on)
		if err != nil {
			return nil, signal.Message{}, err
		}
		sdp, err := peer.Answer(offer)
		return peer, signal.Message{Type: signal.Answer, Attempt: number, SDP: sdp}, closing(peer, err)
	}
}

// closing frees a connection whose description failed.
func closing(peer direct, err error) error {
	if err == nil {
		return nil
	}
	peer.Close(wire.CodeByName("malformed"), err.Error())
	_ = peer.Run(context.Background(), func([]byte) {}) // returns when it is closed
	return err
}
