package port

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
)

// Wrapped is a connection that others build on and that keeps what those who
// serve it look for: options of its socket, and closing one way.
type Wrapped struct{ net.Conn }

// SyscallConn implements syscall.Conn.
func (c Wrapped) SyscallConn() (syscall.RawConn, error) {
	if inner, ok := c.Conn.(syscall.Conn); ok {
		return inner.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// CloseWrite says that nothing more will be sent.
func (c Wrapped) CloseWrite() error {
	if inner, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return inner.CloseWrite()
	}
	return errors.ErrUnsupported
}

// peeked is a connection whose first bytes were looked at.
type peeked struct {
	Wrapped
	head [headBytes]byte
	n    int // bytes of head that were received
	note any // see Note
	read int // bytes of head that were read again; owned by who reads
}

// peek receives bytes until it is clear what the connection is.
func (c *peeked) peek() (kind, error) {
	for {
		if k := kindOfStream(c.head[:c.n]); k != undecided {
			return k, nil
		}
		n, err := c.Conn.Read(c.head[c.n:])
		c.n += n
		if err != nil && n == 0 {
			return undecided, err
		}
	}
}

// Read implements net.Conn.
func (c *peeked) Read(p []byte) (int, error) {
	if c.read < c.n {
		n := copy(p, c.head[c.read:c.n])
		c.read += n
		return n, nil
	}
	return c.Conn.Read(p)
}

// secure is a peeked connection inside TLS. It says so, as net/http wants it.
type secure struct {
	*peeked
	tls *tls.Conn
}

// ConnectionState is that of its TLS.
func (c secure) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }
