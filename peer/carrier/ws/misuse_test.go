package ws

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// stranger is a bare WebSocket to an accepted, running carrier, and what its
// Run returned.
func stranger(t *testing.T) (*websocket.Conn, <-chan error) {
	server, accepted := listen(t, (*httptest.Server).Start)
	conn, _, err := websocket.Dial(context.Background(), server.URL, &websocket.DialOptions{Subprotocols: []string{Subprotocol}})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { conn.CloseNow() })
	done := make(chan error, 1)
	c := <-accepted
	go func() {
		done <- c.Run(context.Background(), func(packet []byte) {
			c.Send(carrier.Frame{Bytes: append([]byte(nil), packet...), Class: wire.Event})
		})
	}()
	return conn, done
}

func TestMisuseIsToldWithACode(t *testing.T) {
	cases := []struct {
		name    string
		kind    websocket.MessageType
		message []byte
		code    string
	}{
		{"a text message", websocket.MessageText, []byte("{}"), "malformed"},
		{"a packet that is too long", websocket.MessageBinary, make([]byte, wire.MaxPacket+1), "too-large"},
		{"one that is far too long", websocket.MessageBinary, make([]byte, 4<<20), "too-large"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			conn, done := stranger(t)
			ctx := context.Background()
			conn.Write(ctx, c.kind, c.message)
			_, _, err := conn.Read(ctx)
			if got := int(websocket.CloseStatus(err)); got != wire.CodeByName(c.code).CloseCode() {
				t.Errorf("the stranger learned %v", err)
			}
			if err := <-done; err == nil || !strings.Contains(err.Error(), c.code) {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}

func TestLargestPacketAndFragments(t *testing.T) {
	conn, done := stranger(t)
	ctx := context.Background()
	w, err := conn.Writer(ctx, websocket.MessageBinary)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 { // in four fragments
		w.Write(make([]byte, wire.MaxPacket/4))
	}
	w.Close()
	if _, echo, err := conn.Read(ctx); err != nil || len(echo) != wire.MaxPacket {
		t.Fatalf("%d bytes came back, %v", len(echo), err)
	}
	conn.Close(websocket.StatusNormalClosure, "")
	if err := <-done; err != carrier.ErrClosed {
		t.Errorf("Run returned %v", err)
	}
}

func TestCutWithoutGoodbye(t *testing.T) {
	conn, done := stranger(t)
	conn.CloseNow()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "cut") {
		t.Errorf("Run returned %v", err)
	}
}

func TestWatchdog(t *testing.T) {
	server, accepted := listen(t, (*httptest.Server).Start)
	a := dial(t, DialConfig{URL: server.URL, Config: Config{WriteTimeout: 200 * time.Millisecond}})
	b := <-accepted
	defer b.raw.Close() // it never reads
	stop := time.AfterFunc(20*time.Second, func() { a.raw.Close() })
	defer stop.Stop()
	go func() {
		for a.Send(carrier.Frame{Bytes: make([]byte, 10_000), Class: wire.Live}) {
			time.Sleep(time.Millisecond / 4)
		}
	}()
	if err := a.Run(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "took nothing for 200ms") {
		t.Errorf("Run returned %v", err)
	}
}
