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
	if c, ok := conn.(secure); ok {
		conn = c.tls
	}
	if c, ok := conn.(*tls.Conn); ok {
		conn = c.NetConn()
	}
	if c, ok := conn.(*peeked); ok {
		return c.note
	}
	return nil
}
