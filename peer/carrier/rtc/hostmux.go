package rtc

import (
	"net"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

// An agent of pion's has a candidate, with goroutines and buffers, for each
// address of each interface and each mux. A server's agent needs to know of
// one of each kind only: what comes to the port is told apart by its user name,
// whichever address it came to, and what is announced is written by us. So
// these stand for all addresses; they are never told to anybody (RFC 5737, RFC 3849).
var (
	anyIP4 = net.IPv4(192, 0, 2, 1)
	anyIP6 = net.ParseIP("2001:db8::1")
)

// singleNet is a network with nothing but the addresses that stand for all.
func singleNet(ip6 bool) transport.Net {
	i := transport.NewInterface(net.Interface{Index: 1, MTU: 1500, Name: "all", Flags: net.FlagUp})
	i.AddAddress(&net.IPNet{IP: anyIP4, Mask: net.CIDRMask(32, 32)})
	if ip6 {
		i.AddAddress(&net.IPNet{IP: anyIP6, Mask: net.CIDRMask(128, 128)})
	}
	return &allNet{interfaces: []*transport.Interface{i}}
}

type allNet struct {
	stdnet.Net
	interfaces []*transport.Interface
}

// Interfaces implements transport.Net.
func (n *allNet) Interfaces() ([]*transport.Interface, error) { return n.interfaces, nil }

// udpMux is pion's, listening on one address for all.
type udpMux struct {
	*ice.UDPMuxDefault
	listening []net.Addr
}

func newUDPMux(conn net.PacketConn, at *net.UDPAddr, ip6 bool, log logging.LeveledLogger) udpMux {
	m := udpMux{UDPMuxDefault: ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: log, Net: singleNet(ip6)})}
	switch {
	case !at.IP.IsUnspecified():
		m.listening = []net.Addr{at}
	case ip6:
		m.listening = []net.Addr{&net.UDPAddr{IP: anyIP4, Port: at.Port}, &net.UDPAddr{IP: anyIP6, Port: at.Port}}
	default:
		m.listening = []net.Addr{&net.UDPAddr{IP: anyIP4, Port: at.Port}}
	}
	return m
}

// GetListenAddresses implements ice.UDPMux.
func (m udpMux) GetListenAddresses() []net.Addr { return m.listening }

const (
	// bindTime is how long a TCP connection may take to say whose it is, and
	// whose connection is known by then.
	bindTime = 10 * time.Second
	// writeTime is how long a client may leave its side unread, before its TCP
	// connection is given up: the agent that writes must not hang for ever.
	writeTime = 10 * time.Second
)

func newTCPMux(l net.Listener, port int, log logging.LeveledLogger) ice.TCPMux {
	return ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: allListener{l, port}, Logger: log,
		FirstStunBindTimeout: bindTime, AliveDurationForConnFromStun: bindTime,
	})
}

// allListener accepts connections as if all were made to one address.
type allListener struct {
	net.Listener
	port int
}

// Addr implements net.Listener.
func (l allListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: l.port} }

// Accept implements net.Listener.
func (l allListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return allConn{boundedConn{conn}, l.port}, nil
}

type allConn struct {
	boundedConn
	port int
}

// LocalAddr implements net.Conn.
func (c allConn) LocalAddr() net.Addr {
	if from, ok := c.RemoteAddr().(*net.TCPAddr); ok && from.IP.To4() == nil {
		return &net.TCPAddr{IP: anyIP6, Port: c.port}
	}
	return &net.TCPAddr{IP: anyIP4, Port: c.port}
}

// boundedConn is given up when its other end does not read.
type boundedConn struct{ net.Conn }

// Write implements net.Conn.
func (c boundedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	if err != nil { // a packet was cut in two: nothing that follows could be read
		c.Close()
	}
	return n, err
}
