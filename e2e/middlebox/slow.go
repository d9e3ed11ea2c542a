package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// rate is in bits a second.
type rate int64

// String implements flag.Value.
func (r rate) String() string { return fmt.Sprintf("%dbit", int64(r)) }

// Set implements flag.Value: "64kbit", "2mbit", "9600bit".
func (r *rate) Set(text string) error {
	number, isBits := strings.CutSuffix(text, "bit")
	factor := int64(1)
	for suffix, value := range map[string]int64{"k": 1e3, "m": 1e6} {
		if cut, found := strings.CutSuffix(number, suffix); found {
			number, factor = cut, value
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !isBits || n <= 0 {
		return fmt.Errorf("want 64kbit or 2mbit")
	}
	*r = rate(n * factor)
	return nil
}

// hop is the narrow place of one direction, which all connections share.
type hop struct {
	rate rate

	mu   sync.Mutex
	free time.Time // when the bytes before are through; guarded by mu
}

func newHop(r rate) *hop {
	if r == 0 {
		return nil
	}
	return &hop{rate: r}
}

// carry returns when so many bytes are through.
func (h *hop) carry(bytes int) {
	h.mu.Lock()
	if now := time.Now(); h.free.Before(now) {
		h.free = now
	}
	h.free = h.free.Add(time.Duration(bytes) * 8 * time.Second / time.Duration(h.rate))
	wait := time.Until(h.free)
	h.mu.Unlock()
	time.Sleep(wait)
}

// wrap makes what is written to conn go through the hop. A nil hop lets all through at once.
func (h *hop) wrap(conn net.Conn) net.Conn {
	if h == nil {
		return conn
	}
	c := &slowConn{Conn: conn, hop: h}
	c.changed.L = &c.mu
	go c.deliver()
	return c
}

const (
	swallowed = 16 << 20 // bytes taken and not delivered yet; beyond that writing waits
	segment   = 1400     // bytes delivered at a time, as a TCP segment holds
)

// slowConn takes whatever is written at once and delivers it when it is its turn.
type slowConn struct {
	net.Conn
	hop *hop

	mu      sync.Mutex
	changed sync.Cond // of what follows
	queue   []byte    // guarded by mu
	closed  bool      // guarded by mu
}

// Write implements net.Conn.
func (c *slowConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) >= swallowed && !c.closed {
		c.changed.Wait()
	}
	if c.closed {
		return 0, net.ErrClosed
	}
	c.queue = append(c.queue, p...)
	c.changed.Broadcast()
	return len(p), nil
}

// Close lets what was taken be delivered before the connection ends.
func (c *slowConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	return nil
}

// NetConn is the connection below.
func (c *slowConn) NetConn() net.Conn { return c.Conn }

func (c *slowConn) deliver() {
	defer c.Conn.Close()
	defer c.Close()
	for next := c.take(); len(next) > 0; next = c.take() {
		c.hop.carry(len(next))
		if _, err := c.Conn.Write(next); err != nil {
			return
		}
	}
}

// take waits for the next segment; none: the connection is closed and all is delivered.
func (c *slowConn) take() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 && !c.closed {
		c.changed.Wait()
	}
	n := min(segment, len(c.queue))
	next := c.queue[:n:n]
	c.queue = c.queue[n:]
	c.changed.Broadcast()
	return next
}
