package turn

import (
	"bufio"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Times of a connection. A client that has an allocation says something within
// the five minutes that a permission lasts (RFC 8656, section 9), or has no use for it.
const (
	allocateTime = 10 * time.Second // until there is an allocation, and when there is none any more
	silentTime   = 6 * time.Minute  // between frames of a client that has one
	frameTime    = 10 * time.Second // from a frame's first byte to its last
	writeTime    = 10 * time.Second // until the client takes what it is sent
)

// streamBuffer in bytes: a frame, mostly.
const streamBuffer = 2 << 10

// stream is one client over TCP, with or without TLS. pion reads it frame by
// frame: its own framing finds each Read to be one.
type stream struct {
	net.Conn
	turnstile turnstile
	from      *streams
	in        *bufio.Reader
	once      sync.Once

	arming sync.Mutex // so that what is set last is what counts
}

func newStream(conn net.Conn, from *streams) *stream {
	s := &stream{Conn: conn, from: from, in: bufio.NewReaderSize(conn, streamBuffer)}
	s.arm()
	return s
}

// arm sets the time until which the next frame must begin. Without an
// allocation frames do not move it.
func (s *stream) arm() {
	s.arming.Lock()
	defer s.arming.Unlock()
	left := allocateTime
	if s.allocated() {
		left = silentTime
	}
	_ = s.SetReadDeadline(time.Now().Add(left)) // an error is the next read's
}

func (s *stream) allocated() bool { return s.from.relay(client(s.RemoteAddr())) != nil }

// rearm is arm for who has an allocation.
func (s *stream) rearm(left time.Duration) {
	s.arming.Lock()
	defer s.arming.Unlock()
	if s.allocated() {
		_ = s.SetReadDeadline(time.Now().Add(left))
	}
}

// nothing is a Binding indication: it keeps a path alive and has no answer (RFC 8489, section 6.3.2).
var nothing = []byte{0x00, 0x11, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

// pionWaits is how many bytes pion's framing wants to see before it looks at a
// frame. One that is shorter is passed with something behind it that goes nowhere.
const pionWaits = 9

// Read implements net.Conn for pion, whose buffer has pionBuffer bytes: one
// frame, with its padding. When it fails the connection is over.
func (s *stream) Read(p []byte) (int, error) {
	s.turnstile.dealt()
	for {
		n, err := s.next(p)
		switch {
		case err == nil:
			s.turnstile.passing()
			return fill(p, n), nil
		case errors.Is(err, errTooLong):
			s.from.server.counts.Drops[TooLong].Add(1)
		default:
			s.count(err)
			return 0, err
		}
	}
}

// fill puts behind a frame of n bytes what pion's framing wants to see there.
func fill(p []byte, n int) int {
	for ; n%alignment != 0; n++ {
		p[n] = 0
	}
	if n < pionWaits {
		n += copy(p[n:], nothing)
	}
	return n
}

func (s *stream) next(p []byte) (int, error) {
	if s.in.Buffered() == 0 {
		s.rearm(silentTime)
		if _, err := s.in.Peek(1); err != nil {
			return 0, err
		}
	}
	s.rearm(frameTime)
	return readFrame(s.in, p[:len(p)-alignment])
}

func (s *stream) count(err error) {
	switch {
	case errors.Is(err, errMalformed):
		s.from.server.counts.refuse(Malformed)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.from.server.counts.refuse(Idle)
	}
}

// Write implements net.Conn for pion, which passes one frame. What could not be
// written whole is the end of the connection: behind it, frames would begin anywhere.
func (s *stream) Write(p []byte) (int, error) {
	_ = s.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := s.Conn.Write(s.from.answer(p, client(s.RemoteAddr()))); err != nil {
		s.Conn.Close()
		return 0, err
	}
	return len(p), nil
}

// Close implements net.Conn. pion calls it when it is done with the client.
func (s *stream) Close() error {
	err := s.Conn.Close()
	s.once.Do(func() { s.from.leave(s) })
	return err
}
