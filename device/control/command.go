package control

import (
	"encoding/json"
	"strings"

	"github.com/telepath-iot/telepath/device/control/journal"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Command implements peer.Control.
func (a *Authority) Command(from peer.Operator, body []byte) {
	c, err := rpc.ParseCommand(body)
	a.mu.Lock()
	defer a.unlock()
	op := a.operatorLocked(from)
	switch {
	case !rpc.MayOperate(from.Role()):
		a.refuseLocked(op.conn, c, rpc.CodeRole, "your token may not command")
	case err != nil && !isStop(body):
		a.refuseLocked(op.conn, named(body), rpc.CodeMalformed, err.Error())
	case err != nil: // what is meant is plain
		a.stopLocked(op, named(body).ID, op.who())
	case c.Type == rpc.Stop:
		a.obeyLocked(op, c) // always
	case !a.running:
		a.refuseLocked(op.conn, c, rpc.CodeNotOffered, "the device's program is starting or ending")
	default:
		a.obeyLocked(op, c)
	}
}

// named is what can be read of a command that cannot be.
func named(body []byte) (c rpc.Command) {
	var is struct{ Type, ID string }
	if json.Unmarshal(body, &is) == nil && len(is.ID) <= rpc.MaxID && len(is.Type) <= rpc.MaxWord {
		c.Type, c.ID = is.Type, is.ID
	}
	return c
}

func isStop(body []byte) bool { return named(body).Type == rpc.Stop }

// obeyLocked does at once what needs no disk, and hands the rest to the desk.
func (a *Authority) obeyLocked(op *operator, c rpc.Command) {
	if c.Name != "" {
		op.name = c.Name
	}
	now := a.nowLocked()
	switch c.Type {
	case rpc.Stop:
		a.stopLocked(op, c.ID, op.who())
	case rpc.Operate:
		a.operateLocked(op, c.On, now)
	case rpc.Seen:
		op.seen(c.ID)
	case rpc.Ask:
		a.askLocked(op, c.ID, now, unknown{rpc.Expired, rpc.CodeLate, "it never came"})
	case rpc.Cancel:
		a.cancelLocked(op, c.ID, now)
	case rpc.Lease:
		a.leaseLocked(op, c, now)
	case rpc.Reset:
		a.orderLocked(op, c)
	case rpc.Call:
		a.callLocked(op, c, now)
	} // a type of a later version is nothing that this one was asked for
}

// orderLocked has the desk obey.
func (a *Authority) orderLocked(op *operator, c rpc.Command) {
	select {
	case a.orders <- order{op.conn, c, a.stopped}:
	default:
		a.refuseLocked(op.conn, c, rpc.CodeBusy, "too many commands are waiting for the disk")
	}
}

// lateLocked says why a command may not be obeyed any more; "": it may.
func (a *Authority) lateLocked(c rpc.Command, now uint64) (code, reason string) {
	switch {
	case c.Epoch != a.epoch:
		return rpc.CodeStale, "it was made for another run of the device's program"
	case now > c.By:
		return rpc.CodeLate, "its deadline has passed"
	case c.By > now+maxWait:
		return rpc.CodeMalformed, "its deadline is more than ten minutes ahead"
	}
	return "", ""
}

// unknown is what becomes of a call that never came.
type unknown struct {
	state        rpc.State
	code, reason string
}

// askLocked says what became of a call. One that never came will not run any more, so that what is said stays true.
func (a *Authority) askLocked(op *operator, id string, now uint64, never unknown) {
	if !a.tellCallLocked(op.conn, id) {
		a.tellUnknownLocked(op, id, now, never)
	}
	if c := a.openCallLocked(id); c != nil {
		c.from = op.conn
	}
}

func (a *Authority) tellUnknownLocked(op *operator, id string, now uint64, never unknown) {
	if !isID(id) {
		a.refuseLocked(op.conn, rpc.Command{Type: rpc.Ask, ID: id}, rpc.CodeMalformed, "an id must be a UUID")
		return
	}
	if a.journal.Forgot() {
		a.sayLocked(op.conn, rpc.Outcome{Type: rpc.Call, ID: id, State: rpc.Unknown, Reason: "it never came, or has been forgotten"})
		return
	}
	if a.journal.MakeRoom(now) != nil {
		return // it is asked again
	}
	a.journal.Remember(journal.Call{ID: id, State: never.state, Code: never.code, Reason: never.reason, By: now + maxWait})
	a.tellCallLocked(op.conn, id)
}

// isID says whether a text is a UUID as it is written in lower case.
func isID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, r := range []byte(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(r)) {
			return false
		}
	}
	return true
}

// Drive implements peer.Control.
func (a *Authority) Drive(from peer.Operator, body []byte) {
	a.mu.Lock()
	defer a.unlock()
	if !a.running || wire.ParseDrive(&a.drive, body) != nil || !rpc.MayOperate(from.Role()) {
		return
	}
	now := a.nowLocked()
	if a.stop.Latched || !a.lease.holds(from.ID(), a.drive.Fence) {
		return
	}
	moving := a.motion.moving
	guard := a.cfg.Guard
	ready := moving && (guard == nil || guard.Watching()) || !moving && a.missingLocked() == nil
	if !a.motion.drive(now, &a.drive, ready) || !a.motion.moving {
		return
	}
	for _, h := range a.hands {
		signal(h.aimed)
	}
	if guard != nil && (!moving || a.motion.valid == now) {
		guard.Beat()
	}
	if !moving {
		a.logLocked("%s drives", a.lease.holder.Name)
		a.tellMovingLocked()
		a.wake()
	}
}

// Gone implements peer.Control. A lease lasts until it is not renewed: who has it may be back before. It tells nobody: whoever
// publishes a sample may be the one who finds a Conn over, and holds the stream that would be told.
func (a *Authority) Gone(from peer.Operator) {
	a.mu.Lock()
	defer a.unlockUntold()
	delete(a.operators, from.ID())
	if a.lease.gone(from.ID()) {
		a.tellLeaseLocked(a.nowLocked(), "")
	}
}
