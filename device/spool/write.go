package spool

import (
	"errors"
	"io/fs"
	"slices"
	"time"
)

// chunk is how much is written at once, in bytes, about.
const chunk = 256 << 10

// ageParts: a segment is closed when it spans this part of the age bound,
// so that with a slow stream, too, what is too old can go.
const ageParts = 8

// write puts what was taken into the current segment, and into new ones as
// those are full.
func (s *Spool) write(now time.Duration) error {
	for s.written < len(s.undone) {
		if s.undone[s.written].turned && s.current != nil && s.current.last > 0 {
			if err := s.close(false); err != nil {
				return err
			}
		}
		if err := s.open(now); err != nil {
			return err
		}
		n := s.encode(s.undone[s.written:])
		if err := s.put(now, s.undone[s.written:][:n]); err != nil {
			return err
		}
		s.written += n
		if s.current.end < s.segment && now-s.current.began < s.cfg.Age/ageParts {
			continue
		}
		if err := s.close(false); err != nil {
			return err
		}
	}
	return nil
}

// open begins a segment, unless there is one, after it has made room for it.
func (s *Spool) open(now time.Duration) error {
	if s.file != nil {
		return nil
	}
	if err := s.makeRoom(); err != nil {
		return err
	}
	seg := &segment{ids: ids{s.nextID, s.nextID}, began: now, wrote: now}
	s.nextID++ // a name that was tried is not tried again
	f, err := s.cfg.FS.Create(seg.file())
	if err != nil {
		return err
	}
	s.file, s.current, s.isNew, s.begun = f, seg, true, true
	s.mu.Lock()
	s.segments = append(s.segments, seg)
	s.mu.Unlock()
	s.buf = append(s.buf[:0], head...)
	return s.put(now, nil)
}

// put writes buf, which holds these entries.
func (s *Spool) put(now time.Duration, entries []entry) error {
	_, err := s.file.Write(s.buf)
	s.mu.Lock()
	defer s.mu.Unlock()
	seg := s.current
	seg.size += int64(len(s.buf))
	if err != nil {
		return err
	}
	seg.end, seg.wrote = seg.size, now
	for _, e := range entries {
		s.inFile += e.size()
		s.inLog = e.ticket
		if e.data != nil {
			seg.add(e.Key, e.at, e.first, e.last)
		}
	}
	return nil
}

// encode fills buf with the records of the first entries, as many as make a
// chunk, and returns how many these are.
func (s *Spool) encode(entries []entry) (n int) {
	s.buf = s.buf[:0]
	for i, e := range entries {
		if i > 0 && e.turned {
			break
		}
		if !s.current.has(e.Key) {
			s.buf = appendStream(s.buf, e.Key, e.Description)
			s.mu.Lock()
			s.current.describe(e.Key, e.Description)
			s.mu.Unlock()
		}
		s.finals[e.Key] = final{e.Key, e.Description, max(s.finals[e.Key].seq, e.last)}
		if e.data != nil {
			s.buf = appendBatch(s.buf, e.at, e.data)
		} else {
			s.buf = appendGap(s.buf, e.gap())
		}
		n++
		if len(s.buf) >= chunk || s.current.end+int64(len(s.buf)) >= s.segment {
			break
		}
	}
	return n
}

// sync makes durable what is written.
func (s *Spool) sync() error {
	if s.file == nil {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	if s.isNew {
		if err := s.cfg.FS.Sync(); err != nil {
			return err
		}
		s.isNew = false
	}
	s.mu.Lock()
	for _, e := range s.undone[:s.written] {
		s.held -= e.size()
		s.inFile -= e.size()
		s.durable = e.ticket
	}
	s.current.durable, s.failing = s.current.clone(), false
	refused := s.stats.Refused
	s.mu.Unlock()
	s.undone = slices.Delete(s.undone, 0, s.written)
	s.written = 0
	s.syncAt = s.now() + s.cfg.Sync
	s.outage.worked(refused)
	return nil
}

// close ends the current segment with its footer. last: this run of the program ends, too.
func (s *Spool) close(last bool) error {
	if last && len(s.finals) > 0 {
		if err := s.writeEnd(s.now()); err != nil {
			return err
		}
	}
	if s.file == nil {
		return nil
	}
	if err := s.sync(); err != nil {
		return err
	}
	if err := s.seal(); err != nil {
		return err
	}
	err := s.file.Close()
	s.file, s.current = nil, nil
	return err
}

// writeEnd writes that this run ends, and where each of its streams does: what is in front of that may be gone sooner.
func (s *Spool) writeEnd(now time.Duration) error {
	if err := s.open(now); err != nil {
		return err
	}
	s.buf = s.buf[:0]
	s.mu.Lock()
	for _, f := range s.finals {
		if !s.current.has(f.Key) {
			s.buf = appendStream(s.buf, f.Key, f.Description)
			s.current.describe(f.Key, f.Description)
		}
		s.buf = appendFinal(s.buf, f)
		s.current.finish(f.Key, f.seq)
	}
	for epoch := range s.epochs() {
		s.buf = appendEnd(s.buf, epoch)
		s.current.ended = append(s.current.ended, epoch)
	}
	s.mu.Unlock()
	return s.put(now, nil)
}

// epochs are those of this run: one, as a rule.
func (s *Spool) epochs() map[uint32]bool {
	out := map[uint32]bool{}
	for k := range s.finals {
		out[k.Epoch] = true
	}
	return out
}

// seal writes the footer. Without it, all the segment holds is there as well.
func (s *Spool) seal() error {
	s.buf = appendFooter(s.buf[:0], &s.current.contents, s.current.end)
	_, err := s.file.Write(s.buf)
	if err == nil {
		err = s.file.Sync()
	}
	s.mu.Lock()
	s.current.size += int64(len(s.buf))
	s.current.index = nil // nothing is looked up any more
	s.mu.Unlock()
	return err
}

// mend gives a segment that was cut off its footer, behind what was torn, so that the next start need not read it through: a
// board that is just switched off leaves one each time. One at a time: what is made now waits for the disk meanwhile. A disk
// that does not take it, or a program that is killed, leaves it as it was.
func (s *Spool) mend() {
	if len(s.cut) == 0 {
		return
	}
	seg := s.cut[0]
	s.cut = s.cut[1:]
	if err := s.mendOne(seg); err != nil && !errors.Is(err, fs.ErrNotExist) { // it went meanwhile, as the oldest do
		s.cfg.Log.Debug("a part of the spool stays without its footer", "file", seg.file(), "error", err)
		s.cut = nil
	}
}

func (s *Spool) mendOne(seg *segment) error {
	f, err := s.cfg.FS.Append(seg.file())
	if err != nil {
		return err
	}
	s.buf = appendFooter(s.buf[:0], &seg.contents, seg.size)
	if len(s.buf) <= maxFooter {
		var n int
		n, err = f.Write(s.buf)
		s.mu.Lock()
		seg.size += int64(n)
		s.mu.Unlock()
		if err == nil {
			err = f.Sync() // also what was read of it, from before the cut
		}
	}
	return errors.Join(err, f.Close())
}

// failed gives up the segment that could not be written, from its last
// durable record on: what a disk holds after a write or a sync that failed,
// nobody knows. What was in it comes again in the next one.
func (s *Spool) failed(now time.Duration, err error) {
	first := s.outage.retry == 0
	s.outage.failed(now, err)
	s.giveUp()
	if isFull(err) && !s.cfg.Refuse && s.removeOldest() == nil && first {
		s.outage.until = now + s.cfg.Flush
	}
	s.mu.Lock()
	s.stats.Failures++
	s.failing = true
	s.mu.Unlock()
}

func (s *Spool) giveUp() {
	if s.file == nil {
		return
	}
	s.file.Close() // it has failed already
	seg := s.current
	s.file, s.current, s.isNew, s.written = nil, nil, false, 0
	s.mu.Lock()
	seg.contents, s.inFile, s.inLog = seg.durable, 0, s.durable
	isEmpty := len(seg.spans) == 0
	s.mu.Unlock()
	if isEmpty {
		_ = s.remove(seg) // it goes with the oldest, at the latest
	}
}
