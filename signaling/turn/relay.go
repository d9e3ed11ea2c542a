package turn

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// relay is a relayed address. It is virtual: no socket has it, and nobody outside
// can send to it or be sent to from it. It implements net.PacketConn for pion,
// which believes that it is a socket.
type relay struct {
	// Set once.
	table   *table
	session string
	addr    netip.AddrPort
	udp     *net.UDPAddr // the same, for pion, which reads it only
	queue   chan packet
	budget  *rate.Limiter

	// Whose it is; guarded by table.mu, not set before pion has told.
	front  *front
	client netip.AddrPort

	channels atomic.Int32 // that are bound
	closing  sync.Once
	closed   chan struct{}

	mu     sync.Mutex
	expiry *time.Timer // guarded by mu; nil: not yet known
}

// packet is one on its way to a relay's client.
type packet struct {
	from *net.UDPAddr
	data *[maxFrame]byte
	size int
}

// relayQueue is how many packets wait for a relay's client: a burst of SCTP's
// first congestion windows. Behind a slow client more would only be older.
const relayQueue = 128

var packets = sync.Pool{New: func() any { return new([maxFrame]byte) }}

func newRelay(t *table, session string, addr netip.AddrPort) *relay {
	return &relay{
		table: t, session: session, addr: addr, udp: net.UDPAddrFromAddrPort(addr),
		queue: make(chan packet, relayQueue), closed: make(chan struct{}),
		budget: rate.NewLimiter(rate.Limit(t.limits.BytesPerSecond), max(t.limits.BytesPerSecond/4, maxFrame)),
	}
}

// WriteTo implements net.PacketConn: it hands p over to the relayed address of
// the same session that addr names. To any other it goes nowhere.
func (r *relay) WriteTo(p []byte, addr net.Addr) (int, error) {
	counts := r.table.counts
	to := r.table.peer(r, addrPort(addr))
	switch {
	case to == nil:
		counts.Drops[NoPeer].Add(1)
	case len(p) > maxFrame:
		counts.Drops[TooLong].Add(1)
	case !r.budget.AllowN(time.Now(), len(p)):
		counts.Drops[OverBudget].Add(1)
	default:
		to.push(r.udp, p)
		counts.Packets.Add(1)
		counts.Bytes.Add(uint64(len(p)))
	}
	return len(p), nil // as UDP, which does not say either
}

// push queues a copy of p. In a full queue it takes the oldest one's place.
func (r *relay) push(from *net.UDPAddr, p []byte) {
	data := packets.Get().(*[maxFrame]byte)
	next := packet{from, data, copy(data[:], p)}
	for {
		select {
		case r.queue <- next:
			return
		default:
		}
		select {
		case old := <-r.queue:
			packets.Put(old.data)
			r.table.counts.Drops[QueueFull].Add(1)
		default:
		}
	}
}

// ReadFrom implements net.PacketConn: it waits for what other ends of the session send.
func (r *relay) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case <-r.closed:
		return 0, nil, net.ErrClosed
	default:
	}
	select {
	case next := <-r.queue:
		n := copy(p, next.data[:next.size])
		packets.Put(next.data)
		return n, next.from, nil
	case <-r.closed:
		return 0, nil, net.ErrClosed
	}
}

// Close implements net.PacketConn. pion calls it when it has given the allocation up.
func (r *relay) Close() error {
	r.forget()
	r.close()
	return nil
}

// forget takes the relay out, so that nobody reaches it and nothing of its
// client reaches pion any more.
func (r *relay) forget() {
	if f := r.table.remove(r); f != nil {
		f.forget(r)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.expiry != nil {
		r.expiry.Stop()
	}
}

func (r *relay) close() { r.closing.Do(func() { close(r.closed) }) }

// end takes the relay out at once, and makes pion give the allocation up. pion
// must not do that while it deals with a request of the same client (a
// permission that is just being added has no timer yet, which would be a panic),
// so its own timers are never let to: this comes first.
func (r *relay) end() {
	h := r.table.turnstileOf(r)
	r.forget()
	if h == nil {
		r.close()
		return
	}
	go func() { // pion may be writing to a client that does not read
		h.wait()
		r.close()
	}()
}

// endEarly is how long before pion's own timer an allocation ends.
const endEarly = time.Second

// keep lets the relay end in time.
func (r *relay) keep(lifetime time.Duration) {
	left := max(lifetime-endEarly, 0)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.expiry == nil {
		r.expiry = time.AfterFunc(left, r.end)
		return
	}
	r.expiry.Reset(left)
}

// LocalAddr implements net.PacketConn.
func (r *relay) LocalAddr() net.Addr { return r.udp }

// SetDeadline implements net.PacketConn. Nobody waits here but for Close.
func (r *relay) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (r *relay) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (r *relay) SetWriteDeadline(time.Time) error { return nil }

// addrPort is the address that pion's net.Addr means; an IPv4 address inside
// IPv6 stays what it is, since it is another address to who asks for it.
func addrPort(addr net.Addr) netip.AddrPort {
	switch a := addr.(type) {
	case *net.UDPAddr:
		return a.AddrPort()
	case *net.TCPAddr:
		return a.AddrPort()
	}
	return netip.AddrPort{}
}
