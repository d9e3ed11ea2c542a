// Package listen keeps listeners going: those of libraries stop for good at the
// first connection that cannot be taken, such as for want of file descriptors.
package listen

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Pauses after an Accept that failed, doubling: the first for what is over at
// once, the last so that descriptors that came back are used within a second.
const (
	FirstPause = 5 * time.Millisecond
	LastPause  = time.Second
)

// persistent is a listener that goes on.
type persistent struct {
	net.Listener
	log    *slog.Logger
	closed chan struct{}
	close  func()
}

// Persistent returns a listener whose Accept fails only when l is closed:
// whatever else goes wrong, such as having no file descriptors left, is tried
// again. Connections wait in the kernel meanwhile. log may be nil.
func Persistent(l net.Listener, log *slog.Logger) net.Listener {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &persistent{Listener: l, log: log, closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

// Accept implements net.Listener.
func (p *persistent) Accept() (net.Conn, error) {
	pause := FirstPause
	for {
		conn, err := p.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return conn, err
		}
		if pause == FirstPause {
			p.log.Warn("no connection can be accepted; trying again", "listen", p.Addr().String(), "err", err)
		}
		select {
		case <-time.After(pause):
		case <-p.closed:
			return nil, net.ErrClosed
		}
		pause = min(2*pause, LastPause)
	}
}

// Close implements net.Listener.
func (p *persistent) Close() error {
	p.close()
	return p.Listener.Close()
}
