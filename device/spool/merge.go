package spool

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
)

const (
	// mostMerged is how many segments are merged at once.
	mostMerged = 32
	// mergedPart: what is merged is at most this part of a segment, so that it does not take long, and
	// finds its place where there is room for the segment that is to be begun.
	mergedPart = 2
	// maxMergedFooter bounds the footer of what is merged, in bytes, about: a start reads it.
	maxMergedFooter = 256 << 10
	// mostSpoilt is how many segments may turn out to be unreadable at once: on a disk that fails each may take seconds.
	mostSpoilt = 3
)

// tidy makes one segment of small ones if there are many, once behind each that was begun. It is called when all that was made is
// durable: what is made meanwhile waits in memory. A disk that does not take it leaves everything as it was.
func (s *Spool) tidy(now time.Duration) {
	if !s.untidy(now) {
		return
	}
	if s.sweep() != nil || !s.hasRoom() {
		s.mergeAt = now + lastRetry
		return
	}
	if err := s.mergeSome(); err != nil {
		s.cfg.Log.Debug("parts of the spool stay as small as they are", "error", err)
		s.mergeAt = now + lastRetry
	} else {
		s.begun = false
	}
	_ = s.sweep() // the next time, then
}

// mergeSome merges what can be read of what is best merged.
func (s *Spool) mergeSome() (err error) {
	for range mostSpoilt {
		run := s.pick()
		if len(run) == 0 {
			return nil
		}
		if err = s.whole(run); err == nil {
			return s.merge(run)
		}
	}
	return err
}

// untidy reports whether a segment was begun beside many, and nothing was merged since.
func (s *Spool) untidy(now time.Duration) bool {
	return s.begun && now >= s.mergeAt && s.Stats().Segments > s.cfg.many
}

// hasRoom reports whether what is merged fits beside what it is made of. A segment that has just been begun has left it.
func (s *Spool) hasRoom() bool {
	crowded, err := s.crowded()
	return err == nil && !crowded && s.Stats().Bytes+s.segment/mergedPart <= s.cfg.Bytes
}

// pick chooses neighbours of which the fewest bytes are written for each file that is saved: what was written again is
// written again when there is as much beside it.
func (s *Spool) pick() (best []*segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	segments := s.segments
	if s.current != nil { // the last one
		segments = segments[:len(segments)-1]
	}
	bytes, footers := []int64{0}, []int64{0} // of all before
	for i, seg := range segments {
		footer := seg.footerSize()
		bytes = append(bytes, bytes[i]+max(seg.end, 0)+footer)
		footers = append(footers, footers[i]+footer)
	}
	least := int64(0)
	for n := 2; n <= mostMerged; n *= 2 {
		for i := range max(len(segments)-n+1, 0) {
			cost := (bytes[i+n] - bytes[i]) / int64(n-1)
			if best != nil && cost >= least || bytes[i+n]-bytes[i] > s.segment/mergedPart || footers[i+n]-footers[i] > maxMergedFooter {
				continue
			}
			if run := segments[i:][:n]; s.mergeable(run) {
				best, least = run, cost
			}
		}
	}
	return slices.Clone(best)
}

// mergeable reports whether all of some segments can be read, and they do not span more time than one does: what is too old goes
// with the newest of them. Their labels count as well, since the machine's clock may not be set yet.
func (s *Spool) mergeable(run []*segment) bool {
	first, last, most := run[0], run[len(run)-1], s.cfg.Age/ageParts
	labels := time.Duration(last.last-min(first.first, last.last)) * time.Microsecond
	if isUnset(first.first) {
		labels = 0
	}
	return last.wrote-first.began < most && labels < most && !slices.ContainsFunc(run, func(seg *segment) bool { return seg.spoilt })
}

// whole looks whether all of some segments can be read, and marks what never will: before anything is written, lest it be in vain at
// each start. It stops at the first.
func (s *Spool) whole(run []*segment) error {
	for _, seg := range run {
		var c contents
		if err := seg.read(s.cfg.FS, c.take); err != nil {
			seg.spoilt = !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE)
			return fmt.Errorf("%s: %w", seg.file(), err)
		}
	}
	return nil
}

// read reads all records of a segment.
func (s *segment) read(from disk.FS, take func(kind byte, body []byte) error) error {
	if s.end <= int64(len(head)) {
		return nil
	}
	f, err := from.Open(s.file())
	if err != nil {
		return err
	}
	defer f.Close() // was only read
	records := newScanner(f, int64(len(head)), s.end)
	for records.offset() < s.end {
		kind, body, err := records.next()
		if err == nil {
			err = take(kind, body)
		}
		if err != nil {
			return fmt.Errorf("up to byte %d: %w", records.offset(), err)
		}
	}
	return nil
}

// footerSize is about how long the footer is, in bytes.
func (c *contents) footerSize() (n int64) {
	n = 64 + 4*int64(len(c.ended))
	for _, sp := range c.spans {
		n += 32 + int64(len(sp.Name)+len(sp.Meta))
	}
	return n
}

// merge makes one segment of neighbours. Until the first of them is gone for good, what was merged is no part of the log for who
// finds it at a start; then the others are none.
func (s *Spool) merge(run []*segment) error {
	first, last := run[0], run[len(run)-1]
	into := &segment{ids: ids{first.id, last.to}, began: first.began, wrote: first.wrote}
	err := s.writeMerged(into, run)
	if err == nil {
		err = s.cfg.FS.Sync()
	}
	if err != nil {
		s.litter = append(s.litter, litter{into.file(), true})
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shareSpansLocked(into)
	at := slices.Index(s.segments, first)
	s.segments = slices.Replace(s.segments, at, at+len(run), into) // before they are removed: a reader finds the one or the other
	for _, seg := range run {
		s.litter = append(s.litter, litter{seg.file(), seg == first})
	}
	return nil
}

func (s *Spool) writeMerged(into *segment, run []*segment) error {
	f, err := s.cfg.FS.Create(into.file())
	if err != nil {
		return err
	}
	m := &merger{file: f, into: into, buf: append(s.buf[:0], head...), told: map[Key]Description{}}
	for _, seg := range run {
		into.wrote = max(into.wrote, seg.wrote)
		if err == nil {
			err = seg.read(s.cfg.FS, m.take)
		}
	}
	into.last = lastLabel(run)
	if err == nil {
		err = m.seal()
	}
	s.buf = m.buf[:0]
	return errors.Join(err, f.Close())
}

// merger writes the records of some segments into one.
type merger struct {
	file disk.File
	into *segment
	buf  []byte              // not written yet
	told map[Key]Description // of each stream, the last one
}

// take adds a record, unless it says what was said. A kind that this version does not know is one as well.
func (m *merger) take(kind byte, body []byte) error {
	if kind == kindStream {
		k, d, err := parseStream(body)
		if err == nil && m.told[k] == d {
			return nil
		}
		m.told[k] = d
	}
	if err := m.into.take(kind, body); err != nil {
		return err
	}
	at := len(m.buf)
	m.buf = endRecord(append(beginRecord(m.buf, kind), body...), at)
	if len(m.buf) < chunk {
		return nil
	}
	return m.flush()
}

func (m *merger) flush() error {
	_, err := m.file.Write(m.buf)
	m.into.size += int64(len(m.buf))
	m.buf = m.buf[:0]
	return err
}

// seal writes the rest and the footer, and has all of it durable.
func (m *merger) seal() error {
	m.into.end = m.into.size + int64(len(m.buf))
	m.buf = appendFooter(m.buf, &m.into.contents, m.into.end)
	m.into.index = nil
	if err := m.flush(); err != nil {
		return err
	}
	return m.file.Sync()
}
