package spool

import (
	"slices"
	"time"
)

// unsetBefore is in September 2001, since the Unix epoch: a time before that is
// of a board that begins in 1970, until somebody sets its clock.
const unsetBefore = 1e9 * time.Second

// setBy is by how much the machine's clock goes off from the spool's own, which
// is monotonic, when it is set. Steered it runs with it.
const setBy = time.Second

// now is the time since Open, on the monotonic clock and with what that leaves out while the machine is suspended.
func (s *Spool) now() time.Duration { return time.Since(s.born) + time.Duration(s.slept.Load()) }

// wokenLocked notices that the machine was suspended meanwhile: it gets older, and its clock has not been set.
func (s *Spool) wokenLocked() {
	slept := s.cfg.asleep() - s.rested
	if slept > time.Duration(s.slept.Load())+setBy/2 {
		s.slept.Store(int64(slept))
	}
}

// machine is what the machine's clock showed when the spool's was 0, as it is set now, since the Unix epoch.
func (s *Spool) machine() time.Duration {
	return time.Duration(s.cfg.wall().UnixMicro())*time.Microsecond - s.now()
}

// labelLocked is the time of a batch that is made now, in µs on the machine's
// clock, and whether that was set since the batch before. A segment has labels
// of one setting only, so that they tell how old what is in it is.
func (s *Spool) labelLocked() (at uint64, turned bool) {
	ahead := s.machine()
	if (ahead - s.ahead).Abs() > setBy {
		s.wokenLocked()
		ahead = s.machine()
	}
	if turned = (ahead - s.ahead).Abs() > setBy; turned {
		s.ahead = ahead
	}
	return uint64(max((ahead + s.now()).Microseconds(), 1)), turned
}

// date finds when earlier runs wrote their segments, as far as the machine's
// clock can know: never later than this start, and, lest what is new goes, as
// late as may be. One without batches is as old as the one before. One that
// another of the same run follows was written until that began: in between the
// clock may have been set.
func (s *Spool) date(segments []*segment) {
	before := time.Duration(0)
	for _, seg := range segments {
		if seg.last > 0 {
			before = s.since(seg.last)
		}
		seg.wrote = before
	}
	for i, seg := range slices.Backward(segments) {
		if i+1 < len(segments) && segments[i+1].first > 0 && seg.sharesRun(&segments[i+1].contents) {
			next := s.since(segments[i+1].first)
			if isUnset(seg.last) && s.ahead >= unsetBefore { // it says nothing
				seg.wrote = next
			}
			seg.wrote = max(seg.wrote, next)
		}
	}
	for i, seg := range segments {
		if seg.began = seg.wrote; i > 0 {
			seg.began = min(seg.began, segments[i-1].wrote)
		}
	}
}

// since is a label of an earlier run on this one's clock.
func (s *Spool) since(label uint64) time.Duration {
	if isUnset(label) && s.ahead >= unsetBefore {
		return 0
	}
	return min(0, time.Duration(label)*time.Microsecond-s.ahead)
}

func isUnset(label uint64) bool { return time.Duration(label)*time.Microsecond < unsetBefore }

// lastLabel is the label by which some segments are dated together: the last one, or a later one from before the clock was set
// back, lest what is new goes. One from before 2001 says nothing, whatever there was before it.
func lastLabel(run []*segment) (label uint64) {
	for _, seg := range run {
		switch {
		case seg.last == 0: // without batches
		case isUnset(seg.last):
			label = seg.last
		default:
			label = max(label, seg.last)
		}
	}
	return label
}

// sharesRun reports whether the next segment goes on with the last run that this one has something of.
func (c *contents) sharesRun(next *contents) bool {
	n := len(c.spans)
	return n > 0 && len(next.spans) > 0 && c.spans[n-1].Epoch == next.spans[0].Epoch
}
