package ws

import (
	"bufio"
	"bytes"
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
	capture := &hijackCapture{ResponseWriter: w, may: cfg.SpeaksFirst}
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

// hijackCapture remembers the connection under an upgrade. Where it may, it agrees to that with the first packet: what the server says
// first is so one segment of TCP's and not two, either of which may be lost.
type hijackCapture struct {
	http.ResponseWriter
	conn  net.Conn
	may   bool
	waits bool // the answer, for the first packet
}

// WriteHeader implements http.ResponseWriter.
func (h *hijackCapture) WriteHeader(status int) {
	h.waits = h.may && status == http.StatusSwitchingProtocols && h.Header().Get("Sec-WebSocket-Protocol") == Subprotocol
	if !h.waits {
		h.ResponseWriter.WriteHeader(status)
	}
}

// Hijack implements http.Hijacker.
func (h *hijackCapture) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = conn
	if err == nil && h.waits {
		conn = &answering{Conn: conn, answer: agreement(h.Header())}
		rw.Writer.Reset(conn)
	}
	return conn, rw, err
}

// agreement is the answer to an upgrade, without the headers that all answers have for who shows a page.
func agreement(header http.Header) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	for _, name := range []string{"Upgrade", "Connection", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"} {
		fmt.Fprintf(&b, "%s: %s\r\n", name, header.Get(name))
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// answering is a connection whose first bytes wait for what follows them. Its owner writes before it reads.
type answering struct {
	net.Conn
	answer []byte // owned by who writes; nil: it is written
}

// NetConn is the connection under it.
func (a *answering) NetConn() net.Conn { return a.Conn }

// Write implements net.Conn.
func (a *answering) Write(p []byte) (int, error) {
	if a.answer == nil {
		return a.Conn.Write(p)
	}
	answer := a.answer
	a.answer = nil
	n, err := a.Conn.Write(append(answer, p...))
	return max(n-len(answer), 0), err
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
