package spool

import (
	"context"
	"time"
)

// idle is how long Run sleeps at most: it then looks whether something has become too old.
const idle = time.Hour

// Run writes what is appended until ctx ends; then it writes the rest, and
// that it ended. It returns nil: a disk that fails is tried again for as long as
// Run runs. It is called once.
func (s *Spool) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			s.finish()
			return nil
		case <-timer.C:
		case <-s.kicked:
		}
		s.mu.Lock()
		s.wokenLocked()
		s.mu.Unlock()
		timer.Reset(max(s.step(s.now())-s.now(), time.Millisecond))
	}
}

// step does what is due and says when to be called again.
func (s *Spool) step(now time.Duration) (wake time.Duration) {
	if now < s.outage.until {
		return s.outage.until
	}
	if err := s.work(now); err != nil {
		s.failed(now, err)
		return s.outage.until
	}
	return s.wake(now)
}

func (s *Spool) work(now time.Duration) error {
	if !s.loaded {
		if err := s.load(); err != nil {
			return err
		}
	}
	if err := s.expire(now); err != nil {
		return err
	}
	_ = s.sweep() // the next time, then
	full := s.take(now)
	if err := s.write(now); err != nil {
		return err
	}
	if len(s.undone) > 0 && (full || now >= s.syncAt || s.untidy(now)) {
		if err := s.sync(); err != nil {
			return err
		}
		s.tidy(now)
		return nil
	}
	if len(s.undone) == 0 {
		s.tidy(now)
	}
	s.mend()
	return nil
}

// take moves what is to be written now from waiting to undone. full: there
// is so much of it that it has to be durable soon.
func (s *Spool) take(now time.Duration) (full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 0 && now >= s.flushAt {
		if len(s.undone) == 0 {
			s.syncAt = now + s.cfg.Sync
		}
		s.undone = append(s.undone, s.waiting...)
		clear(s.waiting)
		s.waiting = s.waiting[:0]
	}
	return s.held > s.cfg.Memory/2
}

// wake is when there is something to do, without an event.
func (s *Spool) wake(now time.Duration) time.Duration {
	at := now + idle
	if len(s.undone) > 0 {
		at = min(at, s.syncAt)
	}
	if len(s.cut) > 0 {
		at = now
	}
	if s.untidy(max(now, s.mergeAt)) {
		at = min(at, max(now, s.mergeAt))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 0 {
		at = min(at, s.flushAt)
	}
	if len(s.segments) > 0 && s.segments[0] != s.current {
		at = min(at, s.segments[0].wrote+s.cfg.Age)
	}
	return at
}

// finish writes all there is and closes the segment. What the disk does not
// take now is lost.
func (s *Spool) finish() {
	s.mu.Lock()
	s.ended = true // what comes from now on would wait for ever
	for k := range s.refused {
		s.declareLocked(k)
	}
	s.flushAt = 0
	s.mu.Unlock()
	s.outage.until = 0
	now := s.now()
	err := s.work(now)
	if err == nil {
		err = s.close(true)
	}
	if err != nil {
		s.failed(now, err)
	}
}
