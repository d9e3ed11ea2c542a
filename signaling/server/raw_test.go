package server

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// rawConn is a WebSocket by hand (RFC 6455), for what a proper client would not do.
type rawConn struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func rawWebSocket(t *testing.T, s *running, header http.Header) *rawConn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.(*net.TCPConn).SetReadBuffer(4096)
	req, err := http.NewRequest(http.MethodGet, s.url+"/v1/link", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		req.Header.Set(name, value)
	}
	req.Header.Add("Sec-WebSocket-Protocol", "telepath.v1")
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, req)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %v, %v", answer, err)
	}
	return &rawConn{t, conn, in}
}

// write sends one binary message, masked with zeros.
func (c *rawConn) write(message []byte) {
	c.t.Helper()
	head := []byte{0x82, 0x80 | 127}
	head = binary.BigEndian.AppendUint64(head, uint64(len(message)))
	head = append(head, 0, 0, 0, 0)
	if _, err := c.conn.Write(append(head, message...)); err != nil {
		c.t.Fatal(err)
	}
}

// closeCode reads until a close frame.
func (c *rawConn) closeCode() int {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		opcode, payload, err := c.readFrame()
		if err != nil {
			c.t.Fatalf("before a close frame: %v", err)
		}
		if opcode == 8 && len(payload) >= 2 {
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

func (c *rawConn) readFrame() (opcode byte, payload []byte, err error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c.in, head); err != nil {
		return 0, nil, err
	}
	n := int(head[1])
	switch n {
	case 126:
		ext := make([]byte, 2)
		_, err = io.ReadFull(c.in, ext)
		n = int(binary.BigEndian.Uint16(ext))
	case 127:
		return 0, nil, fmt.Errorf("a message longer than the server sends")
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.in, payload)
	return head[0] & 15, payload, err
}

func encodedOpen(t *testing.T, device string) string {
	t.Helper()
	body, err := openSignal(device).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(body)
}

// signalClass sends bytes as they are, in order.
func signalClass(frame []byte) carrier.Frame {
	return carrier.Frame{Class: wire.Signal, Bytes: frame}
}
