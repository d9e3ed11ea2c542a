package rtc

import (
	"context"
	"sync"

	"github.com/pion/webrtc/v4"
)

// maxLocal bounds our own candidates that wait to be told; a machine with
// more addresses than this has enough of them in its description.
const maxLocal = 64

// trickle hands our candidates to the other end, those that the description
// does not hold, in order and from one goroutine.
type trickle struct {
	// set once
	bell   chan struct{}
	delays bool // those over TCP are told after release

	mu   sync.Mutex
	told bool        // guarded by mu: the description was made
	list []candidate // guarded by mu, at most maxLocal
	late []candidate // guarded by mu, at most maxLocal: over TCP, and what came behind them
	due  bool        // guarded by mu: late ones are told, too
}

// add takes one from pion; nil: there are no more.
func (t *trickle) add(c *webrtc.ICECandidate) {
	var own candidate
	if c != nil {
		init := c.ToJSON()
		own.text = init.Candidate
		if init.SDPMid != nil {
			own.mid = *init.SDPMid
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	to := &t.list
	if !t.due && (c == nil || c.Protocol == webrtc.ICEProtocolTCP) && t.delays {
		to = &t.late
	}
	if len(*to) < maxLocal {
		*to = append(*to, own)
	}
	t.ring()
}

// release tells what was late, and all that comes from now on.
func (t *trickle) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list, t.late, t.due = append(t.list, t.late...), nil, true
	t.ring()
}

// described forgets what the description is about to hold. The end of
// candidates stays: it is told in any case.
func (t *trickle) described() {
	t.mu.Lock()
	defer t.mu.Unlock()
	ended := len(t.list) > 0 && t.list[len(t.list)-1].text == ""
	t.told, t.list = true, t.list[:0]
	if ended {
		t.list = append(t.list, candidate{})
		t.ring()
	}
}

func (t *trickle) ring() {
	select {
	case t.bell <- struct{}{}:
	default:
	}
}

// run hands candidates over until ctx ends.
func (t *trickle) run(ctx context.Context, hand func(text, mid string)) {
	if hand == nil {
		return
	}
	for {
		for _, c := range t.take() {
			hand(c.text, c.mid)
		}
		select {
		case <-t.bell:
		case <-ctx.Done():
			return
		}
	}
}

func (t *trickle) take() []candidate {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.told {
		return nil
	}
	list := t.list
	t.list = nil
	return list
}
