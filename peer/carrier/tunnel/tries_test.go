package tunnel

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestLostConnectIsTriedAgain: a try that hears nothing does not hold up the connection
// for as long as TCP would.
func TestLostConnectIsTriedAgain(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	d := New(Config{Direct: true})
	var tries atomic.Int32
	d.net.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		if tries.Add(1) > 1 {
			return nil
		}
		<-ctx.Done() // lost
		return ctx.Err()
	}
	began := time.Now()
	conn, err := d.DialContext(t.Context(), "tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if took := time.Since(began); tries.Load() != 2 || took < secondTry {
		t.Errorf("%d tries, connected after %v", tries.Load(), took)
	}
}

// TestRefusedIsNotTriedAgain: an answer is an answer.
func TestRefusedIsNotTriedAgain(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := server.Addr().String()
	server.Close()
	d := New(Config{Direct: true})
	var tries atomic.Int32
	d.net.ControlContext = func(context.Context, string, string, syscall.RawConn) error {
		tries.Add(1)
		return nil
	}
	if _, err := d.DialContext(t.Context(), "tcp", addr); err == nil || tries.Load() != 1 {
		t.Errorf("%d tries: %v", tries.Load(), err)
	}
}
