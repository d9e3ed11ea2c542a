package spool

import (
	"slices"
	"time"
)

// view is a segment as a reader sees it: up to where, and since when.
type view struct {
	id   uint64
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
		if had.any && seg.id <= had.id || !last && !seg.concerns(tracks) {
			continue
		}
		age := s.now() - seg.wrote
		if since > 0 && age > since && !last {
			continue
		}
		return view{id: seg.id, end: seg.end, open: last, cut: seg.cut(age, since), any: true}, seg.end > 0
	}
	return view{}, false
}

// look returns how a segment stands now.
func (s *Spool) look(had view) view {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, seg := range s.segments {
		if seg.id == had.id {
			had.end, had.open = seg.end, i == len(s.segments)-1
			return had
		}
	}
	had.open = false // it is gone
	return had
}

// cut is the time of the oldest batch that is asked for. The segment's end is
// as old as the spool's own clock says; from there on back, the times in it count.
func (c *contents) cut(age, since time.Duration) uint64 {
	if since == 0 {
		return 0
	}
	back := since - age
	if back < 0 {
		return c.last + 1
	}
	return c.last - min(c.last, uint64(back.Microseconds()))
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
	if !slices.ContainsFunc(s.segments, func(seg *segment) bool { return slices.Contains(seg.ended, epoch) }) {
		return 0
	}
	for _, seg := range s.segments {
		for _, sp := range seg.spans {
			if sp.Name == name && sp.Epoch == epoch {
				last = max(last, sp.Last)
			}
		}
	}
	return last
}

// Last returns the newest place of a stream in what is written, of any run but one: 0, or the one that runs.
func (s *Spool) Last(name string, except uint32) (p Place, d *Description) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range slices.Backward(s.segments) {
		for _, sp := range slices.Backward(seg.spans) {
			if sp.Name == name && sp.Epoch != except && sp.Last > 0 {
				return Place{sp.Epoch, sp.Last}, sp.Description
			}
		}
	}
	return Place{}, nil
}
