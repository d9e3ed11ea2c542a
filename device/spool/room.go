package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"
)

// What is left to others of the file system: a part of it, but no more than a number of bytes.
const (
	leftPart  = 20
	leftBytes = 512 << 20
)

var (
	errCrowded = fmt.Errorf("less than a %dth of the file system is free, which is left to others: %w", leftPart, syscall.ENOSPC)
	errNothing = errors.New("spool: there is nothing to remove")
)

// makeRoom removes the oldest segments until a new one is within the bounds.
func (s *Spool) makeRoom() error {
	for {
		crowded, err := s.crowded()
		if err != nil {
			return err
		}
		if s.cfg.Refuse { // Append has seen to the bounds
			if crowded {
				return errCrowded
			}
			return nil
		}
		stats := s.Stats()
		switch {
		case stats.Segments == 0 && crowded:
			return errCrowded
		case stats.Segments == 0, !crowded && stats.Segments < maxSegments && stats.Bytes+s.segment <= s.cfg.Bytes:
			return nil
		}
		if err := s.removeOldest(); err != nil {
			return err
		}
	}
}

// crowded reports whether another segment would take what is left to others.
func (s *Spool) crowded() (bool, error) {
	free, total, err := s.cfg.FS.Room()
	if err != nil || total == 0 {
		return false, err
	}
	return free-s.segment < min(total/leftPart, leftBytes), nil
}

// expire removes segments that are too old.
func (s *Spool) expire(now time.Duration) error {
	for {
		oldest := s.oldest()
		if oldest == nil || oldest == s.current || now-oldest.wrote < s.cfg.Age {
			return nil
		}
		if err := s.remove(oldest); err != nil {
			return err
		}
	}
}

func (s *Spool) oldest() *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 {
		return nil
	}
	return s.segments[0]
}

func (s *Spool) removeOldest() error {
	oldest := s.oldest()
	if oldest == nil || oldest == s.current {
		return errNothing
	}
	return s.remove(oldest)
}

func (s *Spool) remove(seg *segment) error {
	if err := s.sweep(); err != nil {
		return err
	}
	if err := s.cfg.FS.Remove(seg.file()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = slices.DeleteFunc(s.segments, func(other *segment) bool { return other == seg })
	s.stats.Removed++
	return nil
}
