package spool

import (
	"math"
	"slices"
	"time"
)

// view is a segment as a reader sees it: up to where, and since when.
type view struct {
	ids
	end  int64  // bytes
	open bool   // it is the newest and may go on
	cut  uint64 // µs: earlier batches are not asked for
	any  bool   // false: no segment yet
}

// viewAfter finds the next segment in which there is something of the streams
// that are read. The one that is written is always looked into.
func (s *Spool) viewAfter(had view, tracks map[string]*track, since time.Duration) (view, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, seg := range s.segments {
		last := i == len(s.segments)-1
		if had.any && seg.to <= had.to || !last && !seg.concerns(tracks) {
			continue
		}
		age := s.now() - seg.wrote
		if since > 0 && age > since && !last {
			continue
		}
		return view{ids: seg.ids, end: seg.end, open: last, cut: seg.cut(age, since), any: true}, seg.end > 0
	}
	return view{}, false
}

// holds reports whether a segment is still a part of the log.
func (s *Spool) holds(i ids) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.segments, func(seg *segment) bool { return seg.ids == i })
}

// look returns how a segment stands now.
func (s *Spool) look(had view) view {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, seg := range s.segments {
		if seg.ids == had.ids {
			had.end, had.open = seg.end, i == len(s.segments)-1
			return had
		}
	}
	had.open = false // it is gone
	return had
}

// cut is the time of the oldest batch that is asked for. The segment's end is
// as old as the spool's own clock says; from there on back, the times in it count.
// In one that was merged, the clock may have been set: it comes as a whole, if any of it is asked for.
func (s *segment) cut(age, since time.Duration) uint64 {
	back := since - age
	switch {
	case since == 0 || s.merged() && back >= 0:
		return 0
	case s.merged():
		return math.MaxUint64
	case back < 0:
		return s.last + 1
	}
	return s.last - min(s.last, uint64(back.Microseconds()))
}

func (c *contents) concerns(tracks map[string]*track) bool {
	return slices.ContainsFunc(c.spans, func(sp span) bool {
		t := tracks[sp.Name]
		return t != nil && (sp.Last == 0 || !t.passed(sp.Epoch, sp.Last))
	})
}

// lastOf returns the last sample of a stream in a run of the program that said that it ended; 0: it did not, or
// nobody knows, since all there was of the stream is gone, as happens where the end was written by a version without kind 6.
func (s *Spool) lastOf(name string, epoch uint32) (last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := false
	for _, seg := range slices.Backward(s.segments) {
		if ended = ended || slices.Contains(seg.ended, epoch); !ended {
			continue
		}
		for _, sp := range seg.spans {
			if sp.Epoch == epoch && sp.Name == name {
				last = max(last, sp.Last)
			}
		}
		if last > 0 {
			return last
		}
	}
	return 0
}
