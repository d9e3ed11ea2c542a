package server

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/telepath-iot/telepath/signaling/port"
)

// Limits are what anybody may take before and after telling a token.
type Limits struct {
	Connections           int // in all; default 8192
	ConnectionsPerAddress int // or IPv6 /64; default 256; this machine's own have none
	RequestsPerSecond     int // likewise, beside the burst of four times as many; default 50; this machine's own have none

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

// maxAddresses is how many networks' rates are remembered. Beyond that those are forgotten that have asked for nothing the longest,
// half of all at a time.
const maxAddresses = 8192

// settleTime is how long a connection has to say what it is for, before it may have to go for the next one.
const settleTime = 2 * time.Second

// provenTime is after how long one of TURN or ICE that is still there carries what somebody may have there: either side closes it
// 10 s after it was handed over where it does not, and that it is one of theirs shows within 8 s.
const provenTime = 20 * time.Second

// gate counts connections and requests by network, before anybody is known.
type gate struct {
	limits  Limits
	proxies proxies
	settle  time.Duration // settleTime
	closed  atomic.Uint64 // connections that were closed as soon as they came, or for another one

	mu       sync.Mutex
	total    int
	open     map[netip.Addr]int // by network, as rates and older
	rates    map[netip.Addr]*rate.Limiter
	older    map[netip.Addr]*rate.Limiter // those that have not asked since rates was empty
	unproven list.List                    // of *place: connections without a link and a request of somebody with a token, the oldest first
	guests   list.List                    // of *place: links that nobody showed a token for, and connections with one, likewise
}

func newGate(limits Limits, trusted proxies) *gate {
	return &gate{
		limits: limits, proxies: trusted, settle: settleTime,
		open: make(map[netip.Addr]int), rates: make(map[netip.Addr]*rate.Limiter),
	}
}

// network is what has the places and the rate of an address: itself, or its IPv6 /64, all of which one machine may have for sure.
// Those of a local network count by themselves, as they do with IPv4: a whole plant may be in one.
func network(addr netip.Addr) netip.Addr {
	if !addr.Is6() || addr.IsLinkLocalUnicast() || addr.IsPrivate() {
		return addr
	}
	p, _ := addr.Prefix(64) // no error: it has 128 bits and no zone, see plain
	return p.Addr()
}

// address is who sends a request.
func address(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return plain(a.Addr())
}

// mayAsk reports whether the network of r keeps to its rate.
func (g *gate) mayAsk(r *http.Request) bool {
	addr := address(r)
	if addr.IsLoopback() {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rateLocked(network(addr)).Allow()
}

func (g *gate) rateLocked(from netip.Addr) *rate.Limiter {
	l := g.rates[from]
	if l != nil {
		return l
	}
	if l = g.older[from]; l == nil {
		l = rate.NewLimiter(rate.Limit(g.limits.RequestsPerSecond), 4*g.limits.RequestsPerSecond)
	}
	if len(g.rates) >= maxAddresses/2 {
		g.rates, g.older = make(map[netip.Addr]*rate.Limiter), g.rates
	}
	delete(g.older, from)
	g.rates[from] = l
	return l
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
	return g.total > g.limits.Connections+spare || g.overOwnLocked(addr, spare)
}

// overOwnLocked is that for its network alone. This machine's own, and what trusted proxies pass on, have no limit of their own.
func (g *gate) overOwnLocked(addr netip.Addr, spare int) bool {
	return !addr.IsLoopback() && !g.proxies.trust(addr) && g.overNetworkLocked(addr, spare)
}

func (g *gate) overNetworkLocked(addr netip.Addr, spare int) bool {
	return g.open[network(addr)] > g.limits.ConnectionsPerAddress+spare
}

// enter gives a connection a place, if one is left within the limits and spare more, or can be made.
func (g *gate) enter(addr netip.Addr) *place {
	g.mu.Lock()
	var gone *place
	if g.total >= g.limits.Connections && !g.overOwnLocked(addr, -1) {
		gone = g.shedLocked(&g.unproven)
	}
	p := g.takeLocked(addr, spare)
	g.mu.Unlock()
	if gone != nil {
		gone.shut()
	}
	return p
}

// enterLink gives a link that is made of plain requests, or of datagrams, a place like a connection's: many of them fit one
// connection. For a guest's, no other guest has to go.
func (g *gate) enterLink(addr netip.Addr, guest bool) *place {
	g.mu.Lock()
	var gone []*place
	if !g.overOwnLocked(addr, -1) {
		gone = g.makeRoomLocked(g.limits.Connections-1, guest)
	}
	p := g.takeLocked(addr, 0)
	g.mu.Unlock()
	shutAll(gone)
	return p
}

// takeLocked gives a place within the limits and spare more; nil: there is none.
func (g *gate) takeLocked(addr netip.Addr, spare int) *place {
	if g.overLocked(addr, spare-1) {
		return nil
	}
	g.total++
	g.open[network(addr)]++
	return &place{gate: g, addr: addr, came: time.Now()}
}

// makeRoomLocked takes places, for its caller to shut, until there are no more than most, or none that may have to go.
func (g *gate) makeRoomLocked(most int, guest bool) (gone []*place) {
	for g.total > most {
		other := g.shedLocked(&g.unproven)
		if other == nil && !guest {
			other = g.shedLocked(&g.guests)
		}
		if other == nil {
			break
		}
		gone = append(gone, other)
	}
	return gone
}

// shedLocked takes the place that has been in the list the longest, for its caller to shut; nil: there is none that had the time
// to say what it is for.
func (g *gate) shedLocked(from *list.List) *place {
	now := time.Now()
	for e := from.Front(); e != nil; e = from.Front() {
		p := e.Value.(*place)
		switch age := now.Sub(p.came); {
		case age < g.settle:
			return nil
		case p.proves && age > provenTime:
			p.moveLocked(nil)
		default:
			p.leaveLocked()
			g.closed.Add(1)
			return p
		}
	}
	return nil
}

// know notes that a request showed a token that is valid, so that the connection that it came on goes for no other. Who did not
// even show one goes for it, where there are more than there may be.
func (g *gate) know(r *http.Request) {
	p := placeOf(r.Context())
	g.mu.Lock()
	if p != nil && !p.left {
		p.moveLocked(nil)
	}
	var gone []*place
	if !g.overOwnLocked(address(r), 0) {
		gone = g.makeRoomLocked(g.limits.Connections, false)
	}
	g.mu.Unlock()
	shutAll(gone)
}

// carries notes that the connection of ctx carries a link: it goes for no other, but for who shows a token. As long as there are
// fewer of these than the limit, that is: beyond it are those alone that can be shed. Else nobody who has a token could come in to
// show it.
func (g *gate) carries(ctx context.Context) {
	p := placeOf(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if p != nil && p.in == &g.unproven && g.total-g.unproven.Len() < g.limits.Connections {
		p.moveLocked(&g.guests)
	}
}

// enterBehind counts a request of somebody behind a proxy, whose connections
// we do not see. All those of the proxy are in the total already.
func (g *gate) enterBehind(addr netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !addr.IsLoopback() && g.overNetworkLocked(addr, spare-1) {
		return false
	}
	g.open[network(addr)]++
	return true
}

func (g *gate) leaveBehind(addr netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaveLocked(addr)
}

func (g *gate) leaveLocked(addr netip.Addr) {
	from := network(addr)
	if g.open[from]--; g.open[from] == 0 {
		delete(g.open, from)
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
		if p := l.gate.enter(addr); p != nil {
			p.watch(func() { conn.Close() })
			return &gatedConn{Wrapped: port.Wrapped{Conn: conn}, place: p}, nil
		}
		l.gate.closed.Add(1)
		conn.Close()
	}
}

// provingListener hands out connections of a side that closes by itself, within provenTime, those that prove nothing.
type provingListener struct{ net.Listener }

func (l provingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		if c, ok := port.Below(conn).(*gatedConn); ok {
			c.place.prove()
		}
	}
	return conn, err
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
	place *place
}

// Close implements net.Conn.
func (c *gatedConn) Close() error {
	c.place.leave()
	return c.Conn.Close()
}

type gatedKey struct{}

// withGated hands the connection on to its requests, for placeOf (http.Server.ConnContext).
func withGated(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, gatedKey{}, port.Below(conn))
}

// placeOf is the place of the connection that a request came on; nil: it passed no gate.
func placeOf(ctx context.Context) *place {
	if c, ok := ctx.Value(gatedKey{}).(*gatedConn); ok {
		return c.place
	}
	return nil
}
