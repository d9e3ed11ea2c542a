package ws

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// Accept upgrades a request for a link. It answers the request itself where
// that fails. The caller must have checked Host and Origin against its lists,
// and the token, before: here nobody asks again.
func Accept(w http.ResponseWriter, r *http.Request, cfg Config) (*Carrier, error) {
	capture := &hijackCapture{ResponseWriter: w}
	conn, err := websocket.Accept(capture, r, &websocket.AcceptOptions{
		Subprotocols:       []string{Subprotocol},
		InsecureSkipVerify: true, // of the Origin, which the caller has checked
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("accept a link: %w", err)
	}
	if conn.Subprotocol() != Subprotocol {
		conn.CloseNow()
		return nil, errors.New("accept a link: the client did not offer the subprotocol " + Subprotocol)
	}
	raw := bare(capture.conn)
	tune(raw)
	return newCarrier(conn, raw, cfg), nil
}

// hijackCapture remembers the connection under an upgrade.
type hijackCapture struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (h *hijackCapture) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = conn
	return conn, rw, err
}

// bare is the connection below TLS and other wrappings that say so: its Close
// waits for nobody, while that of TLS first wants to say goodbye.
func bare(conn net.Conn) net.Conn {
	for {
		wrapped, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = wrapped.NetConn()
	}
}
