package rtc

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// early lets both ends of a direct connection take a pair of addresses as soon as it works (protocol section 7.3). pion's viewer nominates
// one then, and its device would begin DTLS when it hears of that: a round trip after it knew itself. Chromium nominates with its first checks.
//
// Either end may send on any pair that its own check has found to work (RFC 8445, section 12.1.1), and pion takes what comes on all of them.
type early struct {
	answers bool        // this is the device; set before may
	may     atomic.Bool // the other end does so, too: it will not wait to be told
	over    bool        // owned by pion's loop: it was done, or the other end nominates by itself
}

// answersFirst is for how long the viewer, with the answer, makes no checks of its own: those of the device, which begin with its answer and
// mostly come before it, wait in the sockets until then. The device takes a pair with a check that comes behind the answer to its own.
const answersFirst = 3 * time.Millisecond

// attrEarly is the line of an answer whose device needs no nomination (protocol section 7.3).
const attrEarly = "a=telepath-early\r\n"

func saysEarly(answer string) bool {
	return strings.Contains("\n"+answer, "\n"+strings.TrimRight(attrEarly, "\r\n"))
}

// take is called with each check of the other end on a pair, and reports whether the pair is taken.
//
// The viewer takes only addresses that both machines have told as their own: then the device finds the same pair, whatever NAT the viewer
// is behind, and nobody has to nominate it. Where a server's view of an address works, pion waits for better ones, and nominates.
func (e *early) take(check *stun.Message, local, remote ice.Candidate, pair *ice.CandidatePair) bool {
	if e.over || check.Contains(stun.AttrUseCandidate) {
		e.over = true
		return false
	}
	e.over = e.may.Load() && pair.ResponsesReceived() > 0 && local.NetworkType().IsUDP() &&
		local.Type() == ice.CandidateTypeHost && (remote.Type() == ice.CandidateTypeHost || e.answers && remote.Type() == ice.CandidateTypePeerReflexive)
	return e.over
}
