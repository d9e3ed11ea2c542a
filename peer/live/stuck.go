package live

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// This file finds packets that SCTP has lost twice. It repeats a packet once, when it hears of those behind it, a round
// trip later. If that is lost, too, it waits for its timer, and then repeats all that is under way: as
// many packets as leave in a round trip, for one. Those that were sent in doubt it does not repeat.

const (
	// retransmitTimer is SCTP's (RFC 9260, section 6.3.1), which begins with the last packet that it knows to have come.
	retransmitTimer = time.Second
	// stuckSlack is left to both ends' timers.
	stuckSlack = 20 * time.Millisecond
)

// findStuck looks for packets that should have come twice by now, unless SCTP's timer has passed.
func (o *Out) findStuck(now time.Duration, r wire.Receipt) {
	o.stuckUntil = 0
	if o.path.repairable() {
		return // nothing that is repeated is in vain
	}
	reordering := o.path.rtt / 4 // for which SCTP waits before it takes a packet for lost (RFC 8985, section 6.2)
	twice := 2*o.path.rtt + reordering + 2*o.path.spacing + stuckSlack
	n := r.Newest
	for _, run := range r.Runs {
		n -= run.Came
		for range run.Missed {
			if p := o.at(n); p.number == n && !p.doubted && now >= p.at+twice {
				o.stuckUntil = max(o.stuckUntil, p.at+o.path.rtt+reordering+retransmitTimer)
			}
			n--
		}
	}
}
