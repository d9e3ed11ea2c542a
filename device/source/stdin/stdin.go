// Package stdin is the source for everything that can print: one JSON text a
// line, as package line has it, from a pipe or a file.
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
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/telemetry/line"
)

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
	streams  *line.Streams
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
		in:       bufio.NewReaderSize(config.In, line.MaxLength),
		log:      config.Log,
		refusals: newRefusals(config.Log),
	}
}

// Run implements source.Source: it returns nil when the input has ended. When
// the context ends first, what was written before is still read: who wrote it
// counts on it. A read that blocks cannot be called off, so one goroutine then waits
// for the input's next line, drops it and ends.
func (s *Source) Run(ctx context.Context, sink source.Sink) error {
	s.streams = line.NewStreams("stdin", func(d telemetry.Stream) (line.Writer, error) { return sink.Declare(d) })
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
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			s.refusals.flush()
			s.log.Info("stdin ended; what was read stays available", "lines", s.lines, "refused", s.refusals.total())
			return nil
		}
		if err != nil {
			return fmt.Errorf("source stdin: %w", err)
		}
		if !s.takeUnlessOver(text) {
			return nil
		}
	}
}

func (s *Source) takeUnlessOver(text []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.take(text)
	s.taken = time.Now()
	return true
}

// next returns the next line without its end. A line that is too long is
// refused here; the last one needs no end.
func (s *Source) next() ([]byte, error) {
	for {
		text, err := s.in.ReadSlice('\n')
		if len(text) == 0 && err != nil {
			return nil, err
		}
		s.lines++
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(text), nil
		}
		s.refusals.add(s.lines, fmt.Errorf("longer than %d bytes", line.MaxLength))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = s.in.ReadSlice('\n')
		}
	}
}

func (s *Source) take(text []byte) {
	if len(text) == 0 {
		return
	}
	content, errs := line.Parse(text, time.Now())
	for _, err := range append(errs, s.streams.Take(content)...) {
		s.refusals.add(s.lines, err)
	}
}
