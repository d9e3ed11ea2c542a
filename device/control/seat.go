package control

import (
	"fmt"

	"github.com/telepath-iot/telepath/device/control/journal"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// leaseLocked answers a command for the lease, or leaves it to the desk: what is granted must be on the disk before.
func (a *Authority) leaseLocked(op *operator, c rpc.Command, now uint64) {
	grant := a.decideLocked(op, c, now)
	if grant != nil {
		a.orderLocked(op, c)
	}
}

// decideLocked answers a command for the lease, unless somebody is to be granted it, who is returned.
func (a *Authority) decideLocked(op *operator, c rpc.Command, now uint64) *seat {
	if was, known := a.answered.get(c.ID); known {
		a.answerLeaseLocked(op, c.ID, now, was)
		return nil
	}
	code, reason := a.lateLocked(c, now)
	if code == "" && (c.ID == "" || c.Key == "") {
		code, reason = rpc.CodeMalformed, "id and key are needed"
	}
	if code == "" && !a.running { // the desk had it when the end began
		code, reason = rpc.CodeNotOffered, "the device's program is ending"
	}
	if code != "" {
		a.refuseLeaseLocked(op, c, now, code, reason)
		return nil
	}
	v := a.lease.decide(now, newSeat(c.Key, op.who(), op.peer.Role(), op.conn), c.Do, c.To)
	switch {
	case v.grant != nil:
		return v.grant
	case v.code != "":
		a.refuseLeaseLocked(op, c, now, v.code, v.reason)
		return nil
	case v.moved:
		a.motion.begin()
		if a.motion.moving {
			a.safeLocked("the hand is on another connection now")
		}
	case v.ended:
		a.endLeaseLocked("it was given back")
	}
	a.answered.add(c.ID, answer{})
	a.answerLeaseLocked(op, c.ID, now, answer{})
	if v.changed {
		a.tellLeaseLocked(now, op.conn)
	}
	if v.denied != "" {
		o := a.lease.outcome(now, v.denied)
		o.Code, o.Reason = rpc.CodeHeld, op.who()+" keeps it"
		a.sayLocked(v.denied, o)
	}
	a.wake()
	return nil
}

func (a *Authority) refuseLeaseLocked(op *operator, c rpc.Command, now uint64, code, reason string) {
	a.answered.add(c.ID, answer{code, reason})
	a.answerLeaseLocked(op, c.ID, now, answer{code, reason})
}

func (a *Authority) answerLeaseLocked(op *operator, id string, now uint64, what answer) {
	o := a.lease.outcome(now, op.conn)
	o.ID, o.Code, o.Reason = id, what.code, what.reason
	a.sayLocked(op.conn, o)
}

// grant gives somebody the lease. It waits for the disk.
func (a *Authority) grant(from string, c rpc.Command) {
	a.mu.Lock()
	op, who := a.operators[from], (*seat)(nil)
	if op != nil {
		who = a.decideLocked(op, c, a.nowLocked())
	}
	fence := max(a.lease.fence, a.journal.Fence()) + 1
	a.unlock()
	if who == nil {
		return
	}
	err := a.journal.Write(journal.Record{Fence: fence})
	if err == nil && a.journal.Fence() != fence {
		err = fmt.Errorf("it had a greater fence")
	}
	a.mu.Lock()
	defer a.unlock()
	now := a.nowLocked()
	if err != nil {
		signal(a.persist)
		a.refuseLeaseLocked(op, c, now, rpc.CodeJournal, err.Error())
		return
	}
	if who = a.decideLocked(op, c, now); who == nil { // meanwhile it is another's, or it is too late
		return
	}
	a.grantLocked(now, *who, fence)
	a.answered.add(c.ID, answer{})
	a.answerLeaseLocked(op, c.ID, now, answer{})
	a.tellLeaseLocked(now, op.conn)
}

func (a *Authority) grantLocked(now uint64, who seat, fence uint64) {
	if a.lease.holder != nil {
		a.endLeaseLocked("it went to " + who.Name)
	}
	a.lease.grant(now, who, fence)
	a.motion.begin()
	a.logLocked("lease: %s (%s) has it", who.Name, who.Role)
	a.boardLocked()
	a.wake()
}

// endLeaseLocked makes everything safe, since nobody may move it any more.
func (a *Authority) endLeaseLocked(why string) {
	if a.lease.holder == nil {
		return
	}
	name := a.lease.holder.Name
	a.lease.holder = nil
	a.safeLocked("the lease has ended")
	for c := range a.openLocked() {
		c.unleased()
	}
	a.logLocked("lease: %s no longer has it: %s", name, why)
	a.boardLocked()
}
