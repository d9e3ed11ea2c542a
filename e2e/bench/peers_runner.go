package main

import (
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// runner is one contestant at one crossing.
type runner struct {
	crossing   crossing
	contestant contestant
	row        *peerRow
	length     time.Duration
	dir, name  string
	seed       int

	lane    *lane
	contest *contest
	err     error // why it cannot go on
	w       window
	spent   spent
}

// spent is processor time.
type spent struct{ device, relay, viewer time.Duration }

func (n *runner) start() {
	if n.lane, n.err = newLane(n.dir, n.name, n.crossing, n.seed); n.err == nil {
		n.contest, n.err = n.contestant.start(n.lane)
	}
}

// cross measures what is sent in a while; or has something happen.
func (n *runner) cross() {
	if n.err != nil {
		return
	}
	var before, after reading
	if before, n.err = n.read(); n.err != nil {
		return
	}
	if n.crossing.happen == nil {
		time.Sleep(n.length)
	} else if n.w.lit, n.err = n.crossing.happen(n.lane); n.err != nil {
		return
	}
	if after, n.err = n.read(); n.err != nil {
		return
	}
	n.w.from, n.w.to = before.at, after.at
	n.w.traffic = rig.LinkTraffic{Packets: after.traffic.Packets - before.traffic.Packets, Bytes: after.traffic.Bytes - before.traffic.Bytes}
	n.spent = spent{after.device - before.device, after.relay - before.relay, after.viewer - before.viewer}
}

// reading is what has been spent up to a time.
type reading struct {
	spent
	at      time.Time // of the link's counters; on a busy machine, the answer takes its time
	traffic rig.LinkTraffic
}

func (n *runner) read() (r reading, err error) {
	asked := time.Now()
	if r.traffic, err = n.lane.far.Traffic(); err != nil {
		return r, err
	}
	r.at = asked.Add(time.Since(asked) / 2)
	for to, p := range map[*time.Duration]*program.Program{&r.device: n.contest.device, &r.relay: n.contest.relay, &r.viewer: n.contest.viewer} {
		if p == nil {
			continue
		}
		if *to, err = p.CPU(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// isFresh says whether what was waited for has come: a sample that was made after the outage. Where there was none, nothing is.
func (n *runner) isFresh() bool {
	if n.w.lit.IsZero() {
		return true
	}
	got, err := n.contest.arrivals()
	_, come := freshAfter(n.w.lit, got)
	return err != nil || come
}

// finish enters what came.
func (n *runner) finish() {
	var got []arrival
	var astray string
	if n.err == nil {
		got, n.err = n.contest.arrivals()
	}
	if n.err == nil && n.contest.astray != nil {
		astray, n.err = n.contest.astray(n.w)
	}
	switch {
	case n.err != nil:
		n.row.fail(n.err)
	case n.crossing.happen != nil:
		n.row.enterOutage(n.w, got)
	default:
		n.row.enter(n.w, got, n.spent, astray)
	}
}

func (n *runner) close() {
	if n.lane != nil {
		n.lane.close()
	}
}
