package port

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// TCPConfig of a TCP.
type TCPConfig struct {
	Listener net.Listener // of all connections; one that is listen.Persistent. Required
	TLS      *tls.Config  // to end TLS with; nil: what begins like TLS is for HTTP, which says that it is none
	// FirstBytes is how long a connection may take to show whose it is, TLS
	// included; default 8 s. Slow ones need 3 round trips of a second for that.
	FirstBytes time.Duration
	Waiting    int          // connections that may be about to show it; default 1024
	Log        *slog.Logger // default: discards
}

// TCP shares the connections of one listener among the sides.
type TCP struct {
	cfg     TCPConfig
	waiting waiting
	counts  counts
	done    chan struct{} // closed when Run ends
	taken   [sides]atomic.Pointer[listener]
}

// NewTCP makes a TCP, which Run then serves.
func NewTCP(cfg TCPConfig) *TCP {
	if cfg.FirstBytes == 0 {
		cfg.FirstBytes = 8 * time.Second
	}
	if cfg.Waiting == 0 {
		cfg.Waiting = 1024
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.TLS != nil {
		cfg.TLS = forSides(cfg.TLS)
	}
	return &TCP{cfg: cfg, waiting: waiting{room: cfg.Waiting}, done: make(chan struct{})}
}

// Listener gives a side its connections from now on, plain ones and those that
// came in TLS. Their LocalAddr is a *net.TCPAddr, if that of the listener below
// is one. Its Accept fails only when it is closed or Run has ended. A side that
// nobody has asked for, or whose listener is closed, is not served. Who asks
// again takes it over.
func (t *TCP) Listener(side Side) net.Listener {
	l := newListener(t.cfg.Listener.Addr())
	if before := t.taken[side].Swap(l); before != nil {
		before.close()
	}
	select {
	case <-t.done:
		l.close()
	default:
	}
	return l
}

// Counts are connections since the start.
func (t *TCP) Counts() Counts { return t.counts.snapshot() }

// Run takes connections until ctx ends or the listener is closed, which it
// closes then. Connections that were handed out are not touched.
func (t *TCP) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { t.cfg.Listener.Close() })()
	var identifying sync.WaitGroup
	var err error
	for err == nil {
		var conn net.Conn
		if conn, err = t.cfg.Listener.Accept(); err == nil {
			place, pushedOut := t.waiting.add(conn)
			if pushedOut != nil {
				t.drop(pushedOut, Crowded)
			}
			identifying.Go(func() {
				t.identify(ctx, conn, func() { t.waiting.remove(place) })
			})
		}
	}
	t.end()
	identifying.Wait()
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// end closes what waits, and tells the sides.
func (t *TCP) end() {
	close(t.done)
	t.waiting.closeAll()
	for side := range t.taken {
		if l := t.taken[side].Load(); l != nil {
			l.close()
		}
	}
	t.cfg.Listener.Close()
}

// drop closes a connection, which is nobody's.
func (t *TCP) drop(conn net.Conn, why Reason) (net.Conn, Side) {
	t.counts.dropped[why].Add(1)
	conn.Close()
	return nil, 0
}
