package server

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/telepath-iot/telepath/signaling/port"
)

// Limits are what anybody may take before and after telling a token.
type Limits struct {
	Connections           int // in all; default 8192
	ConnectionsPerAddress int // default 256; this machine's own have none
	RequestsPerSecond     int // per address, beside the burst of four times as many; default 50; this machine's own have none

	DeviceBytesPerSecond int // a device may send; default 32 MiB; beyond that it is read slower
	ViewerBytesPerSecond int // a viewer may send; default 1 MiB
	MalformedBurst       int // malformed frames that a link may send at once, beside one a second; default 50
}

func (l Limits) orDefault() Limits {
	set := func(v *int, fallback int) {
		if *v == 0 {
			*v = fallback
		}
	}
	set(&l.Connections, 8192)
	set(&l.ConnectionsPerAddress, 256)
	set(&l.RequestsPerSecond, 50)
	set(&l.DeviceBytesPerSecond, 32<<20)
	set(&l.ViewerBytesPerSecond, 1<<20)
	set(&l.MalformedBurst, 50)
	return l
}

// maxAddresses is how many addresses' rates are remembered; beyond that the
// table starts anew, which forgives at worst one burst each.
const maxAddresses = 8192

// gate counts connections and requests by address, before anybody is known.
type gate struct {
	limits  Limits
	proxies proxies
	closed  atomic.Uint64 // connections that were closed as soon as they came

	mu    sync.Mutex
	total int
	open  map[netip.Addr]int
	rates map[netip.Addr]*rate.Limiter
}

func newGate(limits Limits, trusted proxies) *gate {
	return &gate{limits: limits, proxies: trusted, open: make(map[netip.Addr]int), rates: make(map[netip.Addr]*rate.Limiter)}
}

// address is who sends a request.
func address(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return plain(a.Addr())
}

// mayAsk reports whether the address of r keeps to its rate.
func (g *gate) mayAsk(r *http.Request) bool {
	addr := address(r)
	if addr.IsLoopback() {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.rates[addr]
	if l == nil {
		if len(g.rates) >= maxAddresses {
			clear(g.rates)
		}
		l = rate.NewLimiter(rate.Limit(g.limits.RequestsPerSecond), 4*g.limits.RequestsPerSecond)
		g.rates[addr] = l
	}
	return l.Allow()
}

// spare connections beyond the limits are taken so that whoever sends a
// request on one can be told why it is refused. Beyond these nobody is.
const spare = 16

// crowded reports whether there are more connections than the limits allow.
func (g *gate) crowded(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.overLocked(address(r), 0)
}

// overLocked counts a connection that is already in.
func (g *gate) overLocked(addr netip.Addr, spare int) bool {
	return g.total > g.limits.Connections+spare ||
		!addr.IsLoopback() && !g.proxies.trust(addr) && g.overOwnLocked(addr, spare)
}

func (g *gate) overOwnLocked(addr netip.Addr, spare int) bool {
	return g.open[addr] > g.limits.ConnectionsPerAddress+spare
}

func (g *gate) enter(addr netip.Addr) bool { return g.take(addr, spare) }

// enterLink gives a link that is made of plain requests a place like a
// connection's: many of them fit one connection.
func (g *gate) enterLink(addr netip.Addr) bool { return g.take(addr, 0) }

// take gives a place, if one is left within the limits and spare more.
func (g *gate) take(addr netip.Addr, spare int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.overLocked(addr, spare-1) {
		return false
	}
	g.total++
	g.open[addr]++
	return true
}

func (g *gate) leave(addr netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	g.leaveLocked(addr)
}

// enterBehind counts a request of somebody behind a proxy, whose connections
// we do not see. All those of the proxy are in the total already.
func (g *gate) enterBehind(addr netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !addr.IsLoopback() && g.overOwnLocked(addr, spare-1) {
		return false
	}
	g.open[addr]++
	return true
}

func (g *gate) leaveBehind(addr netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaveLocked(addr)
}

func (g *gate) leaveLocked(addr netip.Addr) {
	if g.open[addr]--; g.open[addr] == 0 {
		delete(g.open, addr)
	}
}

// listener closes connections beyond the limits as soon as they come, before
// TLS or a header costs anything.
func (g *gate) listener(l net.Listener) net.Listener { return gatedListener{l, g} }

type gatedListener struct {
	net.Listener
	gate *gate
}

func (l gatedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr := remote(conn)
		if l.gate.enter(addr) {
			return &gatedConn{Wrapped: port.Wrapped{Conn: conn}, leave: sync.OnceFunc(func() { l.gate.leave(addr) })}, nil
		}
		l.gate.closed.Add(1)
		conn.Close()
	}
}

func remote(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return plain(tcp.AddrPort().Addr())
	}
	return netip.Addr{}
}

// gatedConn gives its place back when it is closed.
type gatedConn struct {
	port.Wrapped
	leave func()
}

// Close implements net.Conn.
func (c *gatedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
