package peer

import (
	"context"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// ahead is a connection to the server that is made before there is a request to
// send on it: the offer that rides in the first one takes time to make, on a small
// board as long as a round trip.
type ahead struct {
	dial  func(ctx context.Context, network, addr string) (net.Conn, error) // set once; nil: never
	begun atomic.Pointer[earlyDial]
}

type earlyDial struct {
	stop context.CancelFunc
	made chan dialed // has room for one
}

type dialed struct {
	conn net.Conn
	err  error
}

// begin connects to the host of a URL of scheme ws or wss. tasks waits for its end.
func (a *ahead) begin(ctx context.Context, tasks *sync.WaitGroup, to string) {
	u, err := url.Parse(to)
	if err != nil || a.dial == nil {
		return
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), map[string]string{"ws": "80", "wss": "443"}[u.Scheme])
	}
	ctx, stop := context.WithCancel(ctx)
	d := &earlyDial{stop: stop, made: make(chan dialed, 1)}
	a.begun.Store(d)
	tasks.Go(func() {
		conn, err := a.dial(ctx, "tcp", addr)
		d.made <- dialed{conn, err}
	})
}

// take returns the connection that was begun, if nobody took it yet; else it dials.
func (a *ahead) take(ctx context.Context, network, addr string) (net.Conn, error) {
	d := a.begun.Swap(nil)
	if d == nil {
		return a.dial(ctx, network, addr)
	}
	select {
	case got := <-d.made:
		d.stop()
		return got.conn, got.err
	case <-ctx.Done():
		a.begun.Store(d) // for end
		return nil, context.Cause(ctx)
	}
}

// end closes what was begun and nobody has taken. It is called before the next begin.
func (a *ahead) end(tasks *sync.WaitGroup) {
	d := a.begun.Swap(nil)
	if d == nil {
		return
	}
	d.stop()
	tasks.Go(func() {
		if got := <-d.made; got.conn != nil {
			got.conn.Close()
		}
	})
}
