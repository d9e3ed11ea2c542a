package flow

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cable is a TCP connection to the server that can be pulled: what comes in
// at its own address goes on to the server's.
type cable struct {
	t        *testing.T
	listener net.Listener
	to       string
	tasks    sync.WaitGroup

	mu      sync.Mutex
	out     bool              // guarded by mu: nobody can connect
	dead    bool              // guarded by mu: nothing passes, and nothing says so
	passing *sync.Cond        // of mu
	ends    map[net.Conn]bool // guarded by mu
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{t: t, listener: l, to: to, ends: map[net.Conn]bool{}}
	c.passing = sync.NewCond(&c.mu)
	c.tasks.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.stall(false)
		c.pull()
		c.tasks.Wait()
	})
	return c
}

func (c *cable) addr() string { return c.listener.Addr().String() }

func (c *cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil {
			near.Close()
			continue
		}
		if !c.join(near, far) {
			c.close(near, far)
			continue
		}
		c.tasks.Go(func() { c.copy(near, far) })
		c.tasks.Go(func() { c.copy(far, near) })
	}
}

// join takes two ends in, unless the cable is out.
func (c *cable) join(near, far net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.out {
		c.ends[near], c.ends[far] = true, true
	}
	return !c.out
}

// copy moves bytes one way until an end closes.
func (c *cable) copy(to, from net.Conn) {
	defer c.close(to, from)
	_, _ = io.Copy(to, stalling{from, c})
}

// stalling is a reader that holds back what it read while the cable is dead.
type stalling struct {
	io.Reader
	cable *cable
}

func (s stalling) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.cable.mu.Lock()
	defer s.cable.mu.Unlock()
	for s.cable.dead {
		s.cable.passing.Wait()
	}
	return n, err
}

func (c *cable) close(ends ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range ends {
		e.Close()
		delete(c.ends, e)
	}
}

// pull breaks what is connected; it may connect again.
func (c *cable) pull() {
	c.unplug()
	c.plug()
}

// unplug breaks what is connected, until plug.
func (c *cable) unplug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = true
	for e := range c.ends {
		e.Close()
	}
}

func (c *cable) plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = false
}

// stall stops the passing of anything, without a word to either end, or lets it go on.
func (c *cable) stall(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = on
	c.passing.Broadcast()
}
