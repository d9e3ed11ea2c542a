package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// TestAhead: one takes the connection that was begun, others make their own, and one that nobody took is closed.
func TestAhead(t *testing.T) {
	var tasks sync.WaitGroup
	var far []net.Conn
	var addrs []string
	a := &ahead{}
	a.dial = func(_ context.Context, _, addr string) (net.Conn, error) {
		near, other := net.Pipe()
		far, addrs = append(far, other), append(addrs, addr)
		return near, nil
	}
	a.begin(t.Context(), &tasks, "wss://server.example/telepath/v1/link")
	tasks.Wait()
	for range 2 {
		if _, err := a.take(t.Context(), "tcp", "server.example:443"); err != nil {
			t.Fatal(err)
		}
	}
	if len(far) != 2 || addrs[0] != "server.example:443" {
		t.Errorf("dialed %v", addrs)
	}
	a.begin(t.Context(), &tasks, "ws://[::1]:8080/v1/link")
	tasks.Wait()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	a.end(&tasks)
	tasks.Wait()
	if _, err := far[2].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("nobody took it, and reading from it says %v", err)
	}
	a.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	a.begin(t.Context(), &tasks, "ws://[::1]/v1/link")
	if _, err := a.take(gone, "tcp", "[::1]:80"); !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up waiting gets %v", err)
	}
	a.end(&tasks)
	tasks.Wait() // or for ever
}
