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
}

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

// Run implements source.Source: it returns nil when the input has ended. A
// read that blocks cannot be called off, so when the context ends first, one
// goroutine waits for the input's next line, drops it and ends.
func (s *Source) Run(ctx context.Context, sink source.Sink) error {
	s.streams = newStreams(sink)
	done := make(chan error, 1)
	go func() { done <- s.read(ctx) }()
	select {
	case <-ctx.Done():
		s.refusals.flush()
		return nil
	case err := <-done:
		return err
	}
}

func (s *Source) read(ctx context.Context) error {
	for {
		line, err := s.next()
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, io.EOF) {
			s.refusals.flush()
			s.log.Info("stdin ended; what was read stays available", "lines", s.lines, "refused", s.refusals.total())
			return nil
		}
		if err != nil {
			return fmt.Errorf("source stdin: %w", err)
		}
		s.take(line)
	}
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
