package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/device/control/journal"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// maxResult bounds a call's result, in bytes: what is said of it must fit an Outcome.
const maxResult = 12 << 10

// progressEvery is how often progress is told at most.
const progressEvery = 100 * time.Millisecond

// call is one that has not ended.
type call struct {
	rpc.Command
	method *method
	from   string // Conn that is told
	who    string

	journaled rpc.State          // what the disk has
	state     rpc.State          // received or running
	cancel    context.CancelFunc // of one that runs
	off       string             // why it is called off; "": it is not
	code      string             // and under which code it is rejected, if it waits
	stops     uint64             // how many there had been when it began
	began     time.Time
	progress  float64
	told      time.Time // when progress was told
}

// callOff ends it: one that waits never runs, one that runs is told. Authority.mu is held.
func (c *call) callOff(why string) { c.end(rpc.CodeCancelled, why) }

// stopped is for a stop.
func (c *call) stopped() { c.end(rpc.CodeStopped, "a stop came") }

// unleased is for one that needs the lease when that has ended: nobody is there any more who may move something with it.
func (c *call) unleased() {
	if c.method.Lease {
		c.end(rpc.CodeNoLease, "the lease has ended")
	}
}

func (c *call) end(code, why string) {
	if c.off == "" {
		c.code, c.off = code, why
	}
	if c.cancel != nil {
		c.cancel()
	}
	signal(c.method.hand.called)
}

// entry is what is remembered of it.
func (c *call) entry(state rpc.State) *journal.Call {
	return &journal.Call{ID: c.ID, Method: c.Method, Who: c.who, State: state, By: c.By}
}

// openLocked are the calls that have not ended, also the one that the disk is taking.
func (a *Authority) openLocked() iter.Seq[*call] {
	return func(yield func(*call) bool) {
		if a.taking != nil && !yield(a.taking) {
			return
		}
		for _, c := range a.calls {
			if !yield(c) {
				return
			}
		}
	}
}

// openCallLocked is one of them; nil: there is none with this id.
func (a *Authority) openCallLocked(id string) *call {
	if a.taking != nil && a.taking.ID == id {
		return a.taking
	}
	return a.calls[id]
}

// callLocked leaves a call to the desk, unless it is known already.
func (a *Authority) callLocked(op *operator, c rpc.Command, now uint64) {
	switch {
	case !isID(c.ID):
		a.refuseLocked(op.conn, c, rpc.CodeMalformed, "a call's id must be a UUID")
	case a.tellCallLocked(op.conn, c.ID):
	default:
		a.orderLocked(op, c)
	}
}

// tellCallLocked says how far a call is; false: it is not known.
func (a *Authority) tellCallLocked(conn, id string) bool {
	if c := a.calls[id]; c != nil {
		a.sayLocked(conn, rpc.Outcome{Type: rpc.Call, ID: id, State: c.state, Progress: c.progress})
		return true
	}
	c, known := a.journal.Call(id)
	if !known { // or it is on its way to the disk: what becomes of it is told when that is known
		return a.taking != nil && a.taking.ID == id
	}
	if !c.State.Ended() { // it is on the disk, and not in the queue yet
		return true
	}
	a.sayLocked(conn, rpc.Outcome{
		Type: rpc.Call, ID: id, State: c.State, Code: c.Code, Reason: c.Reason, Result: c.Result, TookUS: c.TookUS,
	})
	return true
}

// cancelLocked calls one off. One that has not come yet will not run either.
func (a *Authority) cancelLocked(op *operator, id string, now uint64) {
	if c := a.openCallLocked(id); c != nil {
		c.callOff(op.who() + " cancelled it")
		return
	}
	a.askLocked(op, id, now, unknown{rpc.Rejected, rpc.CodeCancelled, op.who() + " cancelled it before it came"})
}

// checkLocked says why a call may not run; "": it may. Its order is that of section 10.2.
func (a *Authority) checkLocked(op *operator, c rpc.Command, now uint64) (m *method, code, reason string) {
	m = a.methods[c.Method]
	if m == nil {
		return nil, rpc.CodeNoMethod, fmt.Sprintf("there is no method %.64q", c.Method)
	}
	if m.Role == admin && op.peer.Role() != admin {
		return nil, rpc.CodeRole, "only an admin may call it"
	}
	if code, reason = a.lateLocked(c, now); code != "" {
		return nil, code, reason
	}
	if code, reason = a.mayRunLocked(m, c.Fence); code != "" {
		return nil, code, reason
	}
	if m.Lease && a.lease.holder.conn != op.conn {
		return nil, rpc.CodeNoLease, "the caller does not hold the lease"
	}
	if !m.rate.take(now) {
		return nil, rpc.CodeRate, fmt.Sprintf("more than %v calls a second", m.Rate)
	}
	if err := m.check(c.Params); err != nil {
		return nil, rpc.CodeParams, err.Error()
	}
	if len(m.hand.queue) >= maxWaiting {
		return nil, rpc.CodeBusy, "too many calls are waiting"
	}
	return m, "", ""
}

// mayRunLocked is what is looked at again right before it runs.
func (a *Authority) mayRunLocked(m *method, fence uint64) (code, reason string) {
	switch {
	case a.stop.Latched:
		return rpc.CodeStopped, "stopped by " + a.stop.By + ", until somebody resets it"
	case m.Lease && (a.lease.holder == nil || a.lease.fence != fence):
		return rpc.CodeNoLease, "it needs the lease"
	}
	return "", ""
}

// check says what is wrong with parameters.
func (m *method) check(params json.RawMessage) error {
	none := len(params) == 0 || string(params) == "null"
	switch {
	case m.params != nil && none:
		return m.params.Check(json.RawMessage("{}"))
	case m.params != nil:
		return m.params.Check(params)
	case none || string(params) == "{}":
		return nil
	}
	return errors.New("it takes no parameters")
}

// complete has the defaults of parameters that were left out.
func (m *method) complete(params json.RawMessage) json.RawMessage {
	switch {
	case m.params == nil:
		return params
	case string(params) == "null":
		return m.params.Complete(nil)
	}
	return m.params.Complete(params)
}

// take puts a call into its queue, once the disk has it.
func (a *Authority) take(from string, o rpc.Command) {
	c := a.admit(from, o)
	if c == nil {
		return
	}
	records := []journal.Record{{Call: c.entry(rpc.Received)}}
	if c.journaled == rpc.Running { // nothing is in front of it: one wait for the disk instead of two
		records = append(records, journal.Record{Call: c.entry(rpc.Running)})
	}
	err := a.journal.Write(records...)
	a.mu.Lock()
	defer a.unlock()
	a.taking = nil
	if err != nil {
		signal(a.persist) // nobody knows what the disk has of it
		a.rejectLocked(c.from, o, rpc.CodeJournal, err.Error())
		return
	}
	a.calls[c.ID] = c
	c.method.hand.queue = append(c.method.hand.queue, c)
	a.tellCallLocked(c.from, c.ID)
	signal(c.method.hand.called)
}

// admit checks a call; nil: it was refused.
func (a *Authority) admit(from string, o rpc.Command) *call {
	a.mu.Lock()
	defer a.unlock()
	op := a.operators[from]
	now := a.nowLocked()
	if op == nil || a.tellCallLocked(from, o.ID) {
		return nil
	}
	if a.journal.MakeRoom(now) != nil {
		return nil // without being remembered it is not answered: it comes again, or is too late
	}
	m, code, reason := a.checkLocked(op, o, now)
	if code == "" && !a.running {
		code, reason = rpc.CodeCancelled, "the device's program is ending"
	}
	if code != "" {
		a.rejectLocked(from, o, code, reason)
		return nil
	}
	c := &call{Command: o, method: m, from: from, who: op.who(), state: rpc.Received, journaled: rpc.Received}
	if !m.hand.busy && len(m.hand.queue) == 0 {
		c.journaled = rpc.Running
	}
	a.taking = c
	return c
}

// rejectLocked refuses a call for good: its id never runs, whatever changes.
func (a *Authority) rejectLocked(conn string, c rpc.Command, code, reason string) {
	op := a.operators[conn]
	who := "somebody"
	if op != nil {
		who = op.who()
	}
	state := rpc.Rejected
	switch {
	case code == rpc.CodeLate:
		state = rpc.Expired
	case code == rpc.CodeStale && a.journal.Forgot(): // it may have run before the program was started again
		state = rpc.Unknown
	}
	a.journal.Remember(journal.Call{ID: c.ID, State: state, Code: code, Reason: reason, By: c.By})
	a.tellEndLocked(conn, c.ID)
	a.logLocked("call %.64q by %s: %s: %s", c.Method, who, state, reason)
}

// tellEndLocked tells an end now, and again until it was seen.
func (a *Authority) tellEndLocked(conn, id string) {
	a.tellCallLocked(conn, id)
	if op := a.operators[conn]; op != nil {
		now, _ := a.cfg.now()
		op.repeat(id, now)
		a.wake()
	}
}

// removeLocked takes a call out of its queue.
func (h *hand) removeLocked(c *call) {
	h.queue = slices.DeleteFunc(h.queue, func(other *call) bool { return other == c })
}
