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
	var before, after rig.LinkTraffic
	var cpu, then spent
	if before, cpu, n.err = n.read(); n.err != nil {
		return
	}
	n.w.from = time.Now()
	if n.crossing.happen == nil {
		time.Sleep(n.length)
	} else if n.w.lit, n.err = n.crossing.happen(n.lane); n.err != nil {
		return
	}
	n.w.to = time.Now()
	if after, then, n.err = n.read(); n.err != nil {
		return
	}
	n.w.traffic = rig.LinkTraffic{Packets: after.Packets - before.Packets, Bytes: after.Bytes - before.Bytes}
	n.spent = spent{then.device - cpu.device, then.relay - cpu.relay, then.viewer - cpu.viewer}
}

func (n *runner) read() (traffic rig.LinkTraffic, s spent, err error) {
	if traffic, err = n.lane.far.Traffic(); err != nil {
		return traffic, s, err
	}
	for to, p := range map[*time.Duration]*program.Program{&s.device: n.contest.device, &s.relay: n.contest.relay, &s.viewer: n.contest.viewer} {
		if p == nil {
			continue
		}
		if *to, err = p.CPU(); err != nil {
			return traffic, s, err
		}
	}
	return traffic, s, nil
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
