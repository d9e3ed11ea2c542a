package rtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/pion/ice/v4"
)

// Listener takes the TCP connections of the other ends of all direct
// connections of this one (RFC 6544, passive candidates): the rung `tcp`. Each
// of its addresses is a candidate, told after those over UDP.
type Listener struct {
	mux  listenerMux
	door *door
}

// NewListener begins to take connections from l, which is its own until Close.
// l's Accept must survive passing trouble: an error ends it for good. Its
// address is a *net.TCPAddr. log gets pion's words at debug level; it may be nil.
func NewListener(l net.Listener, log *slog.Logger) (*Listener, error) {
	if _, ok := l.Addr().(*net.TCPAddr); !ok {
		return nil, fmt.Errorf("listen for direct connections: %T is no TCP address", l.Addr())
	}
	d := newDoor(l)
	mux := ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: d, Logger: logFactory{Config{Log: log}.orDefault().Log}.NewLogger("mux"),
	})
	return &Listener{mux: listenerMux{mux, d}, door: d}, nil
}

// Addr is where it listens.
func (l *Listener) Addr() net.Addr { return l.door.Addr() }

// Close ends it, and all connections that came through it.
func (l *Listener) Close() error {
	err := l.mux.Close()
	l.door.wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// listenerMux is pion's, and tells the door whom to let in.
type listenerMux struct {
	*ice.TCPMuxDefault
	door *door
}

// GetConnByUfrag implements ice.TCPMux: an agent begins to wait for connections.
func (m listenerMux) GetConnByUfrag(ufrag string, ip6 bool, local net.IP) (net.PacketConn, error) {
	m.door.expect(ufrag)
	return m.TCPMuxDefault.GetConnByUfrag(ufrag, ip6, local)
}

// RemoveConnByUfrag implements ice.TCPMux: the agent is over.
func (m listenerMux) RemoveConnByUfrag(ufrag string) {
	m.door.forget(ufrag)
	m.TCPMuxDefault.RemoveConnByUfrag(ufrag)
}
