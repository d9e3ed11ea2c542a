package turn

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// streams are the clients that come through one listener.
type streams struct {
	net.Listener
	*front
	ended chan struct{} // closed by end

	mu   sync.Mutex
	open map[netip.AddrPort]*stream // by client; nil: no more are taken
	gone sync.WaitGroup
}

func newStreams(s *Server, l net.Listener) *streams {
	all := &streams{Listener: l, ended: make(chan struct{}), open: make(map[netip.AddrPort]*stream)}
	all.front = newFront(s, all.turnstile, all.changed)
	return all
}

// Accepting goes on after a failure: file descriptors may have run out, and come back.
const (
	acceptPause    = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// Accept implements net.Listener for pion. It fails when all is over, and not
// before: pion drops the allocations of a listener that fails.
func (all *streams) Accept() (net.Conn, error) {
	pause := acceptPause
	for {
		conn, err := all.Listener.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			if s := all.enter(conn); s != nil {
				return s, nil
			}
			continue
		case isClosed(err):
			<-all.ended
			return nil, err
		}
		if pause == acceptPause {
			all.server.cfg.Log.Warn("no connection for TURN can be accepted; trying again", "err", err)
		}
		time.Sleep(pause)
		pause = min(2*pause, maxAcceptPause)
	}
}

// enter takes a connection unless there are too many.
func (all *streams) enter(conn net.Conn) *stream {
	all.mu.Lock()
	defer all.mu.Unlock()
	key := client(conn.RemoteAddr())
	if all.open == nil || all.open[key] != nil || !all.server.enter() {
		all.server.counts.refuse(Crowded)
		conn.Close()
		return nil
	}
	s := newStream(conn, all)
	all.open[key] = s
	all.gone.Add(1)
	return s
}

func (all *streams) leave(s *stream) {
	all.mu.Lock()
	delete(all.open, client(s.RemoteAddr()))
	all.mu.Unlock()
	all.server.leave()
	all.gone.Done()
}

// stream is the connection of a client; nil: it is gone.
func (all *streams) stream(client netip.AddrPort) *stream {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.open[client]
}

func (all *streams) turnstile(client netip.AddrPort) *turnstile {
	if s := all.stream(client); s != nil {
		return &s.turnstile
	}
	return nil
}

func (all *streams) changed(client netip.AddrPort) {
	if s := all.stream(client); s != nil {
		s.arm()
	}
}

// end closes listener and connections, and returns when pion is done with all of them.
func (all *streams) end() {
	all.Listener.Close()
	all.mu.Lock()
	list := all.open
	all.open = nil
	all.mu.Unlock()
	for _, s := range list {
		s.Conn.Close() // pion's reading fails, and it closes the stream
	}
	all.gone.Wait()
	close(all.ended)
}
