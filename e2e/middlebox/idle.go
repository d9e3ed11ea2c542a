package main

import (
	"net"
	"time"
)

// idleConn is cut when nothing moved on it for a while, either way.
type idleConn struct {
	net.Conn
	after time.Duration
	timer *time.Timer
}

func cutIdle(conn net.Conn, after time.Duration) net.Conn {
	if after == 0 {
		return conn
	}
	return &idleConn{conn, after, time.AfterFunc(after, func() { conn.Close() })}
}

func (c *idleConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.timer.Reset(c.after)
	return n, err
}

func (c *idleConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.timer.Reset(c.after)
	return n, err
}

func (c *idleConn) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}

func (c *idleConn) NetConn() net.Conn { return c.Conn }
