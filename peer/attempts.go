package peer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// attempt is one data-channel connection of a Conn, from its making to its end.
type attempt struct {
	number uint64
	leg    *leg // its carrier is set before made is called
	stop   context.CancelFunc
	peer   direct           // nil until made
	remote []signal.Message // candidates that came before peer was made
	local  []signal.Message // own candidates, until the description was sent
	first  signal.Message   // the description, once made
	asked  bool             // the description rode in an open that is not answered yet
	told   bool             // the description was sent, and candidates may follow
	ready  bool             // the channels are open
	proved bool             // an echo has come on it
}

// maxAttempts is how many a Conn has at most: the one in use and its successor.
const maxAttempts = 2

// attemptTime bounds the making of a connection, from description to open channels.
const attemptTime = 10 * time.Second

// maxEarly candidates are kept for a connection that is being made.
const maxEarly = 20

var errAttemptTime = errors.New("no data channel within 10 s: UDP between the two ends may be blocked")

// attempts are the data-channel connections of one Conn at one end, oldest
// first. The newer attempt wins. Owned by the loop.
type attempts struct {
	loop     *loop                                        // set once, as all before list
	conn     any                                          // hostConn or Conn, for the legs
	rtc      rtc.Config                                   //
	direct   newDirect                                    // nil: rtc's
	nextID   func() int                                   // of legs
	signal   func(m signal.Message) bool                  // to the other end, through the server
	ready    func(now time.Duration, t *attempt)          // its channels are open
	over     func(now time.Duration, t *attempt, e error) // it ended, or never came to be
	prepared func()                                       // one was made, or could not be
	list     []*attempt
	tasks    *sync.WaitGroup // to wait for outside the loop
}

// maker makes the peer connection and the description that goes to the other end.
type maker func(new newDirect, cfg rtc.Config, on rtc.Events) (direct, signal.Message, error)

// direct is a data-channel connection: an rtc.Peer, or what stands for it in tests.
type direct interface {
	carrier.Carrier
	Offer() (sdp string, err error)
	Answer(offer string) (sdp string, err error)
	SetAnswer(sdp string) error
	AddCandidate(candidate, mid string) error
	Ready() <-chan struct{}
}

type newDirect func(cfg rtc.Config, on rtc.Events) (direct, error)

func newRTC(cfg rtc.Config, on rtc.Events) (direct, error) { return rtc.NewOfferer(cfg, on) }

// newest is the number of the newest attempt.
func (a *attempts) newest() uint64 {
	if len(a.list) == 0 {
		return 0
	}
	return a.list[len(a.list)-1].number
}

// begin starts an attempt beside those there are.
func (a *attempts) begin(number uint64, make maker) *attempt {
	for len(a.list) >= maxAttempts {
		a.drop(a.list[0])
	}
	ctx, stop := context.WithCancel(context.Background())
	t := &attempt{number: number, stop: stop, leg: &leg{id: a.nextID(), conn: a.conn}}
	a.list = append(a.list, t)
	a.tasks.Go(func() { a.run(ctx, t, make) })
	return t
}

// run makes and serves the connection, beside the loop.
func (a *attempts) run(ctx context.Context, t *attempt, make maker) {
	defer t.stop()
	fresh := a.direct
	if fresh == nil {
		fresh = newRTC
	}
	peer, description, err := make(fresh, a.rtc, rtc.Events{Candidate: func(candidate, mid string) {
		m := signal.Message{Type: signal.Candidate, Attempt: t.number, Candidate: candidate, Mid: mid}
		a.loop.post(func() { a.candidate(t, m) })
	}})
	if err != nil {
		a.loop.post(func() { a.ended(t, err) })
		return
	}
	t.leg.carrier = peer
	a.loop.post(func() { a.made(t, peer, description) })
	ctx, cancel := context.WithCancelCause(ctx)
	a.tasks.Go(func() { t.watch(ctx, peer, cancel, func() { a.loop.post(func() { a.opened(t) }) }) })
	err = peer.Run(ctx, a.loop.receiver(t.leg))
	if cause := context.Cause(ctx); errors.Is(cause, errAttemptTime) {
		err = cause
	}
	cancel(nil)
	a.loop.post(func() { a.ended(t, err) })
}

// made: the peer connection exists; candidates that were early go to it.
func (a *attempts) made(t *attempt, peer direct, description signal.Message) {
	t.peer = peer
	for _, m := range t.remote {
		a.add(t, m)
	}
	t.remote, t.first = nil, description
	a.prepared()
	a.tell(t)
}

// tell sends the description, unless it was sent.
func (a *attempts) tell(t *attempt) {
	if t.peer != nil && !t.told && (t.asked || a.signal(t.first)) {
		a.wasTold(t)
	}
}

// wasTold: the other end has the description and can use candidates.
func (a *attempts) wasTold(t *attempt) {
	t.told = true
	for _, m := range t.local {
		a.signal(m)
	}
	t.local = nil
}

// candidate sends one of our own.
func (a *attempts) candidate(t *attempt, m signal.Message) {
	if !t.told {
		t.local = append(t.local, m)
		return
	}
	a.signal(m)
}

// fromRemote takes a candidate of the other end.
func (a *attempts) fromRemote(m signal.Message) {
	for _, t := range a.list {
		if t.number != m.Attempt {
			continue
		}
		if t.peer != nil {
			a.add(t, m)
		} else if len(t.remote) < maxEarly {
			t.remote = append(t.remote, m)
		}
	}
}

// add gives a candidate to the connection, which refuses what it does not like.
func (a *attempts) add(t *attempt, m signal.Message) { _ = t.peer.AddCandidate(m.Candidate, m.Mid) }

func (a *attempts) opened(t *attempt) {
	if !slices.Contains(a.list, t) {
		return
	}
	t.ready = true
	a.ready(a.loop.now(), t)
}

func (a *attempts) ended(t *attempt, err error) {
	a.prepared()
	i := slices.Index(a.list, t)
	if i < 0 {
		return // dropped before
	}
	a.list = slices.Delete(a.list, i, i+1)
	a.over(a.loop.now(), t, err)
}

// drop ends an attempt.
func (a *attempts) drop(t *attempt) {
	a.list = slices.DeleteFunc(a.list, func(o *attempt) bool { return o == t })
	a.over(a.loop.now(), t, nil)
	t.stop()
}

// dropOlder ends what came before t.
func (a *attempts) dropOlder(t *attempt) {
	for _, o := range slices.Clone(a.list) {
		if o.number < t.number {
			a.drop(o)
		}
	}
}

// closeAll ends all attempts.
func (a *attempts) closeAll() {
	for _, t := range a.list {
		t.stop()
	}
	a.list = nil
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
		giveUp(errAttemptTime)
	}
}

// offer makes the viewer's half of an attempt.
func offer(number uint64) maker {
	return func(fresh newDirect, cfg rtc.Config, on rtc.Events) (direct, signal.Message, error) {
		peer, err := fresh(cfg, on)
		if err != nil {
			return nil, signal.Message{}, err
		}
		sdp, err := peer.Offer()
		return peer, signal.Message{Type: signal.Offer, Attempt: number, SDP: sdp}, closing(peer, err)
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
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	peer.Close(wire.CodeByName("malformed"), err.Error())
	_ = peer.Run(ctx, func([]byte) {})
	return err
}
