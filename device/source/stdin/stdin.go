// Package stdin is the source for everything that can print: one JSON text a
// line, from a pipe or a file.
//
//	{"stream": "temperature", "value": 21.5}
//	{"stream": "door", "value": "open", "t": 1767225600.25, "class": "event"}
//	{"describe": "temperature", "unit": "°C", "range": [-20, 50], "period": 1}
//	[{"bn": "urn:dev:ow:10e2073a01080063/", "n": "temp", "u": "Cel", "v": 23.1}]
//
// The last form is a SenML pack (RFC 8428). A value is a number, a string, true
// or false; the first one fixes the kind of its stream. Its time t is in seconds since the Unix epoch, or a
// string as in RFC 3339; without one it is when the line came. Strings make a
// stream of class event, everything else one of class live, unless a class is given.
//
// A line that cannot be read is refused with its number and a reason, and
// harms no other line.
package stdin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/source"
)

// maxLine bounds a line, in bytes: seven of the longest values fit.
const maxLine = 1 << 16

// Config is the source's configuration.
type Config struct {
	In  io.Reader    // os.Stdin
	Log *slog.Logger // for refusals; default slog.Default()
}

// Source reads lines.
type Source struct {
	in       *bufio.Reader
	log      *slog.Logger
	refusals *refusals
	streams  *streams
	lines    int

	mu    sync.Mutex
	over  bool      // guarded by mu: nothing is taken any more
	taken time.Time // guarded by mu: when a line was taken last
}

const (
	// lingerQuiet without a line means that all was read that had been written
	// when the source was told to end.
	lingerQuiet = 20 * time.Millisecond
	// lingerMost bounds how long a writer that does not stop can delay the end.
	lingerMost = 250 * time.Millisecond
)

// New makes a source.
func New(config Config) *Source {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	return &Source{
		in:       bufio.NewReaderSize(config.In, maxLine),
		log:      config.Log,
		refusals: newRefusals(config.Log),
	}
}

// Run implements source.Source: it returns nil when the input has ended. When
// the context ends first, what was written before is still read: who wrote it
// counts on it. A read that blocks cannot be called off, so one goroutine then waits
// for the input's next line, drops it and ends.
func (s *Source) Run(ctx context.Context, sink source.Sink) error {
	s.streams = newStreams(sink)
	done := make(chan error, 1)
	go func() { done <- s.read() }()
	select {
	case <-ctx.Done():
		s.linger(done)
		s.refusals.flush()
		return nil
	case err := <-done:
		return err
	}
}

// linger waits until everything was read that had been written, and closes.
func (s *Source) linger(done <-chan error) {
	look := time.NewTicker(lingerQuiet / 2)
	defer look.Stop()
	for begin := time.Now(); !s.close(begin); {
		select {
		case <-look.C:
		case <-done:
			return
		}
	}
}

// close ends the taking of lines if it is time to: told to at begin, none came for lingerQuiet, or too many.
func (s *Source) close(begin time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := begin
	if s.taken.After(begin) {
		last = s.taken
	}
	s.over = time.Since(last) >= lingerQuiet || time.Since(begin) >= lingerMost
	return s.over
}

func (s *Source) read() error {
	for {
		line, err := s.next()
		if errors.Is(err, io.EOF) {
			s.refusals.flush()
			s.log.Info("stdin ended; what was read stays available", "lines", s.lines, "refused", s.refusals.total())
			return nil
		}
		if err != nil {
			return fmt.Errorf("source stdin: %w", err)
		}
		if !s.takeUnlessOver(line) {
			return nil
		}
	}
}

func (s *Source) takeUnlessOver(line []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.take(line)
	s.taken = time.Now()
	return true
}

// next returns the next line without its end. A line that is too long is
// refused here; the last one needs no end.
func (s *Source) next() ([]byte, error) {
	for {
		line, err := s.in.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return nil, err
		}
		s.lines++
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(line), nil
		}
		s.refusals.add(s.lines, fmt.Errorf("longer than %d bytes", maxLine))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = s.in.ReadSlice('\n')
		}
	}
}

func (s *Source) take(line []byte) {
	if len(line) == 0 {
		return
	}
	content, errs := parse(line, time.Now())
	if content.description != nil {
		errs = append(errs, s.streams.describe(*content.description))
	}
	for _, r := range content.readings {
		errs = append(errs, s.streams.put(r))
	}
	for _, err := range errs {
		if err != nil {
			s.refusals.add(s.lines, err)
		}
	}
}
