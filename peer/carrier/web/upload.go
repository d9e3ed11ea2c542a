package web

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// maxPosts is how many requests with a packet a client makes at a time, those that it does not wait for any more among them: a
// proxy has a connection for each, and browsers make six to a server, too.
const maxPosts = 8

// mostHedged is how long a packet may be that is sent on a second connection because it is overdue, in bytes: a longer one may
// only take its time.
const mostHedged = 4 << 10

// maxHedges is how often a packet is sent once more because it is overdue.
const maxHedges = 2

// upload is a packet on its way.
type upload struct {
	batch   carrier.Batch
	alone   bool // nothing else is under way with it
	ahead   bool // it may be taken before those before it
	control bool // it has nothing but control frames
	n       uint64
	limit   int // most bytes that get through; lowered where something between says so

	// set when it is done
	err  error
	left bool // a request with it is under way nevertheless
}

// is says what may be done with frames of such lanes. Signals are told in their order, whatever happens to one of them. So is all
// that has to be sent in smaller packets after all, where something between lets none of its length through: what is longer than
// all before goes alone, too. What needs no order waits for nothing.
func (u *upload) is(set carrier.Lanes, longest bool) {
	control := carrier.SetOf(carrier.LaneControl)
	u.alone, u.control = longest || set.Has(carrier.LaneSignal), set == control
	u.ahead = set&^(control|carrier.SetOf(carrier.LaneSetpoint, carrier.LaneLive)) == 0
	u.err, u.left = nil, false
}

// posts counts requests that bring packets.
type posts struct {
	now   atomic.Int32
	group sync.WaitGroup

	mu    sync.Mutex
	saved int // what packets have saved up for others to be sent again; guarded by mu
}

const (
	// hedgeCost is how many packets pay for one that is sent once more: where losses are not what makes answers late, it is not
	// much that is sent for nothing.
	hedgeCost = 4
	maxSaved  = 4 * hedgeCost
)

func (p *posts) full() bool { return p.now.Load() >= maxPosts }

func (p *posts) save() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saved = min(p.saved+1, maxSaved)
}

// mayRepeat reports whether a packet may be sent once more now, and pays for it.
func (p *posts) mayRepeat() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.full() || p.saved < hedgeCost {
		return false
	}
	p.saved -= hedgeCost
	return true
}

func (p *posts) wait() { p.group.Wait() }

// send brings a packet to the server.
func (e *client) send(u *upload) error {
	e.posts.save()
	return e.persist(&u.limit, func() error {
		if len(u.batch.Packet) > u.limit { // it was too much
			e.c.tap.Shorten(&u.batch, u.limit)
			e.c.tap.Wake()
		}
		return e.hedge(u)
	})
}

// hedge posts a packet, and once more where the answer is overdue: then something was lost, and the kernel takes much longer to
// send it again. Who took the packet first says so; the other request is left to itself, since cutting it would cost its
// connection.
func (e *client) hedge(u *upload) error {
	answers := make(chan error, 1+maxHedges)
	e.post(u, answers)
	overdue := e.overdue(u)
	for asked, again := 1, 0; ; {
		select {
		case <-overdue:
			if e.posts.mayRepeat() {
				e.post(u, answers)
				asked, again = asked+1, again+1
			}
			if overdue = nil; again < maxHedges {
				overdue = e.overdue(u)
			}
		case err := <-answers:
			if asked--; err == nil || asked == 0 || final(err) {
				u.left = asked > 0
				return err
			}
			overdue = nil
		}
	}
}

// overdue yields when the answer to a packet has not come for so long that something was lost; nil: that cannot be said, or there
// is no other connection to send it on.
func (e *client) overdue(u *upload) <-chan time.Time {
	after, known := e.c.flow.Overdue()
	if !known || !e.http1 || len(u.batch.Packet) > mostHedged {
		return nil
	}
	return time.After(after)
}

// post makes one request.
func (e *client) post(u *upload, answers chan<- error) {
	n, ahead, packet := u.n, u.ahead, u.batch.Packet
	e.posts.now.Add(1)
	e.posts.group.Go(func() {
		answers <- e.up(n, ahead, packet)
		e.posts.now.Add(-1)
		e.c.tap.Wake() // one more may go
	})
}
