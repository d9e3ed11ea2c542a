package control

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// leaseTTL is how long a lease lasts without being renewed, in µs (section 10.3).
const leaseTTL = 5_000_000

// maxAsks bounds who may wait for the lease: more than that is no queue but a crowd.
const maxAsks = 8

// seat is who has the lease, or asks for it.
type seat struct {
	rpc.Operator
	conn string // ID of the Conn on which it was taken last
}

// newSeat knows an operator by the secret that it shows.
func newSeat(key, name, role, conn string) seat {
	sum := sha256.Sum256([]byte(key))
	return seat{rpc.Operator{ID: hex.EncodeToString(sum[:8]), Name: name, Role: role}, conn}
}

// lease says who may move something. It decides; what has to be on the disk before is its caller's to put there.
type lease struct {
	holder *seat // nil: nobody
	fence  uint64
	until  uint64 // µs
	asks   []seat // in the order in which they came
}

// verdict is what becomes of a command for the lease.
type verdict struct {
	code    string // of a refusal; "" otherwise
	reason  string
	grant   *seat // is to have it, under a new fence
	changed bool  // others are to be told
	ended   bool  // nobody is to have it any more
	moved   bool  // the holder is on another Conn now
	denied  string
}

func refuse(code, reason string) verdict { return verdict{code: code, reason: reason} }

// decide answers a command of section 10.3. One that has expired was ended before.
func (l *lease) decide(now uint64, who seat, do, to string) verdict {
	mine := l.holder != nil && l.holder.ID == who.ID
	switch do {
	case rpc.Take, rpc.Request:
		return l.take(now, who, do == rpc.Request, mine)
	case rpc.TakeOver:
		if who.Role != admin {
			return refuse(rpc.CodeRole, "only an admin may take it over")
		}
		if mine {
			return l.take(now, who, false, true)
		}
		return verdict{grant: &who}
	}
	if !mine || l.holder.conn != who.conn {
		return refuse(rpc.CodeNoLease, "the sender does not hold it")
	}
	switch do {
	case rpc.Renew:
		l.until = now + leaseTTL
		return verdict{}
	case rpc.Release:
		return verdict{changed: true, ended: true}
	case rpc.Give, rpc.Deny:
		return l.answer(do, to)
	}
	return refuse(rpc.CodeMalformed, "there is no such command for the lease")
}

func (l *lease) take(now uint64, who seat, request, mine bool) verdict {
	switch {
	case mine:
		v := verdict{changed: l.holder.conn != who.conn, moved: l.holder.conn != who.conn}
		l.holder, l.until = &who, now+leaseTTL
		return v
	case l.holder == nil:
		return verdict{grant: &who}
	case !request:
		return refuse(rpc.CodeHeld, l.holder.Name+" holds it")
	}
	at := slices.IndexFunc(l.asks, func(s seat) bool { return s.ID == who.ID })
	switch {
	case at >= 0:
		l.asks[at] = who
	case len(l.asks) == maxAsks:
		return refuse(rpc.CodeBusy, "too many are asking for it")
	default:
		l.asks = append(l.asks, who)
	}
	return verdict{changed: true}
}

// answer is the holder's to who asked.
func (l *lease) answer(do, to string) verdict {
	at := slices.IndexFunc(l.asks, func(s seat) bool { return s.ID == to })
	if at < 0 {
		return refuse(rpc.CodeNoLease, "that one no longer asks for it")
	}
	who := l.asks[at]
	if do == rpc.Give {
		return verdict{grant: &who}
	}
	l.asks = slices.Delete(l.asks, at, at+1)
	return verdict{changed: true, denied: who.conn}
}

// grant gives it to somebody, under a fence that is on the disk by now.
func (l *lease) grant(now uint64, who seat, fence uint64) {
	l.asks = slices.DeleteFunc(l.asks, func(s seat) bool { return s.ID == who.ID })
	l.holder, l.fence, l.until = &who, fence, now+leaseTTL
}

// expired says whether it is to end, since it was not renewed.
func (l *lease) expired(now uint64) bool { return l.holder != nil && now >= l.until }

// gone forgets who asked on a Conn that is over; true: somebody had.
func (l *lease) gone(conn string) bool {
	before := len(l.asks)
	l.asks = slices.DeleteFunc(l.asks, func(s seat) bool { return s.conn == conn })
	return len(l.asks) != before
}

// holds says whether the lease is that of a Conn, under this fence.
func (l *lease) holds(conn string, fence uint64) bool {
	return l.holder != nil && l.holder.conn == conn && l.fence == fence
}

// outcome describes it for one Conn.
func (l *lease) outcome(now uint64, conn string) rpc.Outcome {
	o := rpc.Outcome{Type: rpc.Lease}
	if l.holder != nil {
		who := l.holder.Operator
		o.Holder, o.Fence, o.Mine, o.TTLMS = &who, l.fence, l.holder.conn == conn, (l.until-min(now, l.until))/1000
	}
	for _, s := range l.asks {
		o.Asks = append(o.Asks, s.Operator)
	}
	return o
}
