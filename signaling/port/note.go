package port

import (
	"crypto/tls"
	"net"
)

// Note keeps a value with the connection that a ClientHello came on, for whoever
// is handed the connection and asks Noted. It is for callbacks of a tls.Config.
func Note(info *tls.ClientHelloInfo, value any) {
	if c, ok := info.Conn.(*peeked); ok {
		c.note = value
	}
}

// Noted is what was noted of a connection that a Listener has handed out; nil: nothing.
func Noted(conn net.Conn) any {
	if c := bottom(conn); c != nil {
		return c.note
	}
	return nil
}

// Below is the connection, as TCPConfig's listener accepted it, of one that a Listener has handed out; nil: it is none.
func Below(conn net.Conn) net.Conn {
	if c := bottom(conn); c != nil {
		return c.Conn
	}
	return nil
}

func bottom(conn net.Conn) *peeked {
	if c, ok := conn.(secure); ok {
		conn = c.tls
	}
	if c, ok := conn.(*tls.Conn); ok {
		conn = c.NetConn()
	}
	c, _ := conn.(*peeked)
	return c
}
