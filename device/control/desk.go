package control

import (
	"context"
	"time"

	"github.com/telepath-iot/telepath/device/control/journal"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// persistRetry is how long the disk is left alone when it did not take the stop.
const persistRetry = time.Second

// desk obeys commands that have to be on the disk first, one after the other. A stop goes in front of all.
func (a *Authority) desk(ctx context.Context) {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			a.keep()
			return
		case <-a.persist:
			again = a.keep()
			continue
		default:
		}
		select {
		case <-ctx.Done():
		case <-again:
			again = a.keep()
		case <-a.persist:
			again = a.keep()
		case o := <-a.orders:
			a.obey(o)
		}
	}
}

func (a *Authority) obey(o order) {
	switch o.c.Type {
	case rpc.Lease:
		a.grant(o.from, o.c)
	case rpc.Reset:
		a.reset(o)
	case rpc.Call:
		a.take(o.from, o.c)
	}
}

// keep puts the stop, and whatever else the disk does not have, onto it. It returns when to try again, if that failed.
func (a *Authority) keep() <-chan time.Time {
	a.mu.Lock()
	stop := a.stop
	a.mu.Unlock()
	if stop == a.journal.Stop() && !a.journal.Behind() {
		return nil
	}
	err := a.journal.Note(journal.Record{Stop: &stop})
	a.mu.Lock()
	defer a.unlock()
	if (err != nil) != a.unkept {
		a.unkept = err != nil
		a.tellStopLocked("")
		if err != nil {
			a.cfg.Log.Error("the disk does not take the journal of commands", "error", err)
			a.logLocked("the disk does not take the journal: %v", err)
		}
	}
	if err != nil {
		return time.After(persistRetry)
	}
	return nil
}

// reset ends the stop, once the disk knows.
func (a *Authority) reset(o order) {
	c := o.c
	a.mu.Lock()
	op := a.operators[o.from]
	if op == nil {
		a.unlock()
		return
	}
	was, known := a.answered.get(c.ID)
	code, reason := a.lateLocked(c, a.nowLocked())
	if !known && code == "" && c.ID == "" {
		code, reason = rpc.CodeMalformed, "an id is needed"
	}
	if !known && code == "" && a.stop.Latched && (c.At != 0 && c.At < a.stoppedAt || a.stopped != o.stops) {
		code, reason = rpc.CodeStopped, "a stop came that the sender had not heard of"
	}
	if known || code != "" || !a.stop.Latched {
		if known {
			code, reason = was.code, was.reason
		}
		a.answerResetLocked(op, c, code, reason)
		a.unlock()
		return
	}
	next := journal.Stop{By: op.who(), Since: time.Now().UnixMicro()}
	a.unlock()
	err := a.journal.Write(journal.Record{Stop: &next})
	a.mu.Lock()
	defer a.unlock()
	switch {
	case err != nil:
		signal(a.persist) // the disk may have it all the same: it is to say again that the stop is latched
		a.answerResetLocked(op, c, rpc.CodeJournal, err.Error())
	case a.stopped != o.stops: // it was pressed again meanwhile
		a.answerResetLocked(op, c, rpc.CodeStopped, "a stop came")
		signal(a.persist)
	default:
		a.stop = next
		a.logLocked("stop: ended by %s", op.who())
		a.boardLocked()
		a.answerResetLocked(op, c, "", "")
		a.tellStopLocked(op.conn)
	}
}

func (a *Authority) answerResetLocked(op *operator, c rpc.Command, code, reason string) {
	a.answered.add(c.ID, answer{code, reason})
	a.refuseLocked(op.conn, c, code, reason)
}
