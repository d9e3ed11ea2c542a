package turn

import (
	"bufio"
	"context"
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

// stream is one client over TCP, with or without TLS. To pion it is a
// net.PacketConn with one client, so that pion's own framing is not used.
type stream struct {
	net.Conn
	*front
	in *bufio.Reader

	once   sync.Once
	ended  func() // called once, when it is closed
	arming sync.Mutex
}

func newStream(s *Server, conn net.Conn, ended func()) *stream {
	st := &stream{Conn: conn, front: newFront(s), in: bufio.NewReaderSize(conn, streamBuffer), ended: ended}
	st.changed = st.arm
	st.arm()
	return st
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

func (s *stream) allocated() bool { return s.relay(client(s.RemoteAddr())) != nil }

// rearm is arm for who has an allocation.
func (s *stream) rearm(left time.Duration) {
	s.arming.Lock()
	defer s.arming.Unlock()
	if s.allocated() {
		_ = s.SetReadDeadline(time.Now().Add(left))
	}
}

// ReadFrom implements net.PacketConn: one frame. When it fails the connection is over.
func (s *stream) ReadFrom(p []byte) (int, net.Addr, error) {
	s.dealt()
	for {
		n, err := s.next(p)
		switch {
		case err == nil:
			s.passing()
			return n, s.RemoteAddr(), nil
		case errors.Is(err, errTooLong):
			s.server.counts.Drops[TooLong].Add(1)
		default:
			s.count(err)
			s.Close()
			return 0, nil, err
		}
	}
}

func (s *stream) next(p []byte) (int, error) {
	if s.in.Buffered() == 0 {
		s.rearm(silentTime)
		if _, err := s.in.Peek(1); err != nil {
			return 0, err
		}
	}
	s.rearm(frameTime)
	return readFrame(s.in, p)
}

func (s *stream) count(err error) {
	switch {
	case errors.Is(err, errMalformed):
		s.server.counts.refuse(Malformed)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.server.counts.refuse(Idle)
	}
}

// WriteTo implements net.PacketConn. What could not be written whole is the end
// of the connection: behind it, frames would begin anywhere.
func (s *stream) WriteTo(p []byte, _ net.Addr) (int, error) {
	_ = s.SetWriteDeadline(time.Now().Add(writeTime))
	n, err := s.Write(s.answer(p, client(s.RemoteAddr())))
	if err != nil {
		s.Close()
	}
	return n, err
}

// Close implements net.PacketConn.
func (s *stream) Close() error {
	err := s.Conn.Close()
	s.once.Do(s.ended)
	return err
}

// streams are the connections that are open.
type streams struct {
	mu     sync.Mutex
	open   map[*stream]bool
	closed bool
	gone   sync.WaitGroup
}

// enter serves a connection unless there are too many.
func (s *Server) enter(conn net.Conn) {
	all := &s.streams
	all.mu.Lock()
	if all.closed || len(all.open) >= s.cfg.Limits.Connections {
		all.mu.Unlock()
		s.counts.refuse(Crowded)
		conn.Close()
		return
	}
	var st *stream
	st = newStream(s, conn, func() { all.leave(st) })
	all.open[st] = true
	all.gone.Add(1)
	all.mu.Unlock()
	if err := s.serve(st, st.front); err != nil {
		s.cfg.Log.Debug("a connection is not served", "from", conn.RemoteAddr(), "err", err)
		st.Close()
	}
}

func (all *streams) leave(st *stream) {
	all.mu.Lock()
	delete(all.open, st)
	all.mu.Unlock()
	all.gone.Done()
}

// close closes all connections and waits for them.
func (all *streams) close() {
	all.mu.Lock()
	all.closed = true
	list := make([]*stream, 0, len(all.open))
	for st := range all.open {
		list = append(list, st)
	}
	all.mu.Unlock()
	for _, st := range list {
		st.Close()
	}
	all.gone.Wait()
}

func (all *streams) count() int {
	all.mu.Lock()
	defer all.mu.Unlock()
	return len(all.open)
}

// Accepting goes on after a failure: file descriptors may have run out, and come back.
const (
	acceptPause    = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// accept serves the connections of a listener until it is closed.
func (s *Server) accept(ctx context.Context, l net.Listener) {
	pause := acceptPause
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			s.enter(conn)
			continue
		case isClosed(err) || ctx.Err() != nil:
			return
		}
		if pause == acceptPause {
			s.cfg.Log.Warn("no connection for TURN can be taken, and it is tried again", "err", err)
		}
		time.Sleep(pause)
		pause = min(2*pause, maxAcceptPause)
	}
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
