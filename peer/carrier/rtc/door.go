package rtc

import (
	"container/list"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// Bounds of a door (invariant I9).
const (
	// maxWaiting is how many connections may be about to say whose they are.
	// When more come, the one that has waited longest goes: who means it speaks
	// within a round trip.
	maxWaiting = 64
	// maxConnsOf is how many connections one attempt may have: each address of
	// the other end tries each of ours.
	maxConnsOf = 16
	// maxFirst bounds the first packet, in bytes. pion reads no longer one.
	maxFirst = 512
)

// door stands in front of pion's mux, which keeps what anybody sends in
// anybody's name. It lets in who begins with a Binding request (RFC 8445,
// section 7.1) under the user name of an attempt that there is; the password
// is for ICE to check.
type door struct {
	net.Listener
	in     chan net.Conn
	closed chan struct{}
	close  func()
	tasks  sync.WaitGroup

	mu       sync.Mutex
	waiting  list.List      // of net.Conn, guarded by mu: those that have not spoken, the longest first
	expected map[string]int // by ufrag, guarded by mu: how many connections an attempt has
}

func newDoor(l net.Listener) *door {
	d := &door{Listener: l, in: make(chan net.Conn), closed: make(chan struct{}), expected: map[string]int{}}
	d.close = sync.OnceFunc(func() { close(d.closed) })
	d.tasks.Go(d.run)
	return d
}

// Accept implements net.Listener. It fails only when the door is closed.
func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.in:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (d *door) Close() error {
	d.close()
	err := d.Listener.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	for e := d.waiting.Front(); e != nil; e = e.Next() {
		e.Value.(net.Conn).Close()
	}
	return err
}

// wait returns when nothing of a closed door runs.
func (d *door) wait() { d.tasks.Wait() }

func (d *door) run() {
	defer d.close()
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return
		}
		place := d.let(conn)
		d.tasks.Go(func() { d.ask(conn, place) })
	}
}

// let lets conn wait.
func (d *door) let(conn net.Conn) (place *list.Element) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting.Len() >= maxWaiting {
		d.waiting.Remove(d.waiting.Front()).(net.Conn).Close()
	}
	select {
	case <-d.closed:
		conn.Close()
	default:
	}
	return d.waiting.PushBack(conn)
}

// ask finds out whose a connection is, and hands it over.
func (d *door) ask(conn net.Conn, place *list.Element) {
	first, ufrag, err := readFirst(conn)
	d.mu.Lock()
	d.waiting.Remove(place) // nothing, if it had to go
	n, known := d.expected[ufrag]
	known = known && err == nil && n < maxConnsOf
	if known {
		d.expected[ufrag]++
	}
	d.mu.Unlock()
	if !known {
		conn.Close()
		return
	}
	guest := &guest{boundedConn: boundedConn{conn}, first: first, left: sync.OnceFunc(func() { d.left(ufrag) })}
	select {
	case d.in <- guest:
	case <-d.closed:
		guest.Close()
	}
}

// expect lets in connections for an attempt.
func (d *door) expect(ufrag string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expected[ufrag] += 0
}

// forget lets no more in.
func (d *door) forget(ufrag string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.expected, ufrag)
}

func (d *door) left(ufrag string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, known := d.expected[ufrag]; known {
		d.expected[ufrag] = n - 1
	}
}

var errNotICE = errors.New("it does not begin as ICE does")

// readFirst reads the first packet of a connection (framing of RFC 4571), which
// it returns with its length in front, and for which attempt of ours it is.
func readFirst(conn net.Conn) (first []byte, ufrag string, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(bindTime)); err != nil {
		return nil, "", err
	}
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, "", err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > maxFirst {
		return nil, "", errNotICE
	}
	first = append(head[:], make([]byte, n)...)
	if _, err := io.ReadFull(conn, first[2:]); err != nil {
		return nil, "", err
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, "", err
	}
	ufrag, err = ufragOf(first[2:])
	return first, ufrag, err
}

// ufragOf is our half of the user name in a Binding request (RFC 8445, section 7.2.2).
func ufragOf(packet []byte) (string, error) {
	m := &stun.Message{Raw: append([]byte(nil), packet...)}
	var name stun.Username
	if m.Decode() != nil || m.Type != stun.BindingRequest || name.GetFrom(m) != nil {
		return "", errNotICE
	}
	ours, _, found := strings.Cut(name.String(), ":")
	if !found {
		return "", errNotICE
	}
	return ours, nil
}

// guest is a connection that was let in.
type guest struct {
	boundedConn
	first []byte // what was read of it already; owned by who reads
	left  func() // tells the door
}

// Read implements net.Conn.
func (g *guest) Read(b []byte) (int, error) {
	if len(g.first) > 0 {
		n := copy(b, g.first)
		g.first = g.first[n:]
		return n, nil
	}
	return g.boundedConn.Read(b)
}

// Close implements net.Conn.
func (g *guest) Close() error {
	g.left()
	return g.boundedConn.Close()
}
