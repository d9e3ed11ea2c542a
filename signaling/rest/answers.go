package rest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/signaling/room"
)

// Bounds of what is remembered of posts with an Idempotency-Key. Who fills
// them is refused: to forget sooner would let a post be taken twice.
const (
	answerLife  = 10 * time.Minute
	answerBytes = 32 << 20 // of all devices
	answerShare = 4        // a single device may fill one part in this many
	answerCost  = 200      // bytes of an answer beside key and body
)

// answers are the replies to posts with a key. The zero value but for byKey is ready.
type answers struct {
	mu     sync.Mutex
	byKey  map[string]*answer
	oldest []*answer      // in the order of their begin
	bytes  int            // of all
	share  map[string]int // bytes by device
}

// answer is the reply to one key, once done is closed.
type answer struct {
	device, key string
	at          time.Time
	bytes       int           // guarded by answers.mu
	done        chan struct{} // closed when reply is set, or the answer is forgotten
	forgotten   bool          // set before done is closed: nothing was taken
	reply       reply
}

// begin returns the answer to a key. mine: the caller is the first and has to
// finish it; else the reply stands.
func (as *answers) begin(ctx context.Context, device, key string, now time.Time) (a *answer, mine bool, no *room.Refusal) {
	for {
		a, mine, no = as.find(device, key, now)
		if mine || no != nil {
			return a, mine, no
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, false, busy("another post with the same Idempotency-Key is being taken")
		}
		if !a.forgotten {
			return a, false, nil
		}
	}
}

func (as *answers) find(device, key string, now time.Time) (a *answer, mine bool, no *room.Refusal) {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.expireLocked(now)
	id := device + "\x00" + key // no name holds a zero
	if a = as.byKey[id]; a != nil {
		return a, false, nil
	}
	if as.bytes >= answerBytes || as.share[device] >= answerBytes/answerShare {
		return nil, false, &room.Refusal{
			Code: "rate-limited", Reason: "so many posts with an Idempotency-Key came within 10 min that no more of them can be remembered",
			Remedy: "post more samples at once, or without a key",
		}
	}
	a = &answer{device: device, key: id, at: now, done: make(chan struct{})}
	as.byKey[id] = a
	as.oldest = append(as.oldest, a)
	as.payLocked(a, answerCost+len(id))
	return a, true, nil
}

func (as *answers) payLocked(a *answer, bytes int) {
	if as.share == nil {
		as.share = make(map[string]int)
	}
	a.bytes += bytes
	as.bytes += bytes
	if as.share[a.device] += bytes; as.share[a.device] == 0 {
		delete(as.share, a.device)
	}
}

// finish sets the reply for all who come with the key. Unless something was
// decided, the next one is to try again.
func (as *answers) finish(a *answer, got reply, decided bool) {
	as.mu.Lock()
	defer as.mu.Unlock()
	a.reply, a.forgotten = got, !decided
	if decided {
		as.payLocked(a, len(got.body))
	} else {
		as.dropLocked(a)
		as.forgetLocked(a)
	}
	close(a.done)
}

func (as *answers) dropLocked(a *answer) {
	if as.byKey[a.key] == a {
		delete(as.byKey, a.key)
		as.payLocked(a, -a.bytes)
	}
}

// forgetLocked looks from the end: it came a moment ago.
func (as *answers) forgetLocked(a *answer) {
	for i := len(as.oldest) - 1; i >= 0; i-- {
		if as.oldest[i] == a {
			as.oldest = slices.Delete(as.oldest, i, i+1)
			return
		}
	}
}

func (as *answers) expireLocked(now time.Time) {
	gone := 0
	for _, a := range as.oldest {
		if now.Sub(a.at) < answerLife {
			break
		}
		as.dropLocked(a)
		gone++
	}
	clear(as.oldest[:gone])
	as.oldest = as.oldest[gone:]
}
