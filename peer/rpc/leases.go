package rpc

import (
	"time"
)

const (
	// renewEvery is how often who holds the lease says so.
	renewEvery = time.Second
	// patience is how long what is said of the lease, or to end a stop, may wait.
	patience = time.Second
)

// LeaseInfo is who holds the lease, as the device told last.
type LeaseInfo struct {
	Holder *Operator // nil: nobody
	Mine   bool
	Until  time.Duration // when it ends if nothing more is heard; of Mine
	Asks   []Operator
	Code   string // what was asked for last was refused, or denied by the holder
	Reason string
	Lost   bool // it was ours, and was not renewed in time, or somebody else has it now
}

// lease keeps the lease while it is ours, and knows who has it otherwise (section 10.3).
type lease struct {
	info      LeaseInfo
	key, name string
	repeats   *repeats
	ticks     *ticks
	fence     uint64
	renewAt   time.Duration
	asked     string // id of what was asked for last, renewals aside; "": it is answered
	releases  bool   // that is to give it back
}

// do asks for something. It reports whether that could be said: not before a tick has come.
func (l *lease) do(now time.Duration, id, what, to string) bool {
	if !l.ticks.known() {
		return false
	}
	c := Command{Type: Lease, ID: id, Do: what, Key: l.key, Name: l.name, To: to}
	c.Epoch, c.By = l.ticks.by(now, patience)
	if what == Renew {
		l.repeats.add(now, "renew", c, now+patience)
		return true
	}
	l.repeats.add(now, "lease", c, now+patience)
	l.asked, l.releases = id, what == Release
	l.info.Code, l.info.Reason = "", ""
	if l.releases {
		l.end(false)
	}
	return true
}

func (l *lease) outcome(now time.Duration, o Outcome) {
	since := now
	for _, key := range [...]string{"lease", "renew"} {
		if said, ok := l.repeats.answeredBy(key, o.ID); ok {
			since = said.since // the device counted from when it granted it, which was after it was asked
		}
	}
	switch {
	case o.ID != "" && o.ID == l.asked:
		l.asked, l.releases = "", false
		l.info.Code, l.info.Reason = o.Code, o.Reason
	case o.ID == "" && o.Code != "": // the holder denied it: what all are told has no code
		l.info.Code, l.info.Reason = o.Code, o.Reason
	case o.Mine && !l.info.Mine:
		l.info.Code, l.info.Reason = "", ""
	}
	l.info.Holder, l.info.Asks = o.Holder, o.Asks
	switch {
	case o.Mine && !l.releases:
		if !l.info.Mine {
			l.renewAt = now + renewEvery
		}
		l.fence = o.Fence
		l.info.Mine, l.info.Lost, l.info.Until = true, false, since+time.Duration(min(o.TTLMS, 1<<30))*time.Millisecond
	case !o.Mine && l.info.Mine:
		l.end(true)
	}
}

// over: something was not answered in its time.
func (l *lease) over(a awaited) {
	if a.command.ID == l.asked {
		l.asked, l.releases = "", false
		l.info.Code, l.info.Reason = CodeLate, "the device did not answer in time"
	}
}

// expired ends it when it was not renewed in its time. It reports whether it just did.
func (l *lease) expired(now time.Duration) bool {
	if !l.info.Mine || now < l.info.Until {
		return false
	}
	l.end(true)
	return true
}

// due reports whether it is to be renewed now.
func (l *lease) due(now time.Duration) bool {
	if !l.info.Mine || now < l.renewAt {
		return false
	}
	l.renewAt = now + renewEvery
	return true
}

func (l *lease) wake() time.Duration {
	if !l.info.Mine {
		return never
	}
	return min(l.renewAt, l.info.Until)
}

func (l *lease) end(lost bool) { l.info.Mine, l.info.Lost = false, lost }
