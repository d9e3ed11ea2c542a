package listen

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// failing is a listener that has no descriptors for a time.
type failing struct {
	net.Listener
	until  time.Time
	closed chan struct{}
}

func (l failing) Accept() (net.Conn, error) {
	if time.Now().Before(l.until) {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
		return nil, nil
	}
}

func (l failing) Close() error   { close(l.closed); return nil }
func (l failing) Addr() net.Addr { return &net.TCPAddr{} }

func TestPersistent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := time.Minute
		l := Persistent(failing{until: time.Now().Add(down), closed: make(chan struct{})}, nil)
		began := time.Now()
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < down || took > down+LastPause {
			t.Errorf("it accepts after %v", took)
		}
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// TestPersistentEnds: a listener that is closed while it waits for descriptors does not wait on.
func TestPersistentEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Persistent(failing{until: time.Now().Add(time.Hour), closed: make(chan struct{})}, nil)
		began := time.Now()
		time.AfterFunc(time.Minute+LastPause/2, func() { l.Close() })
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) || time.Since(began) > time.Minute+LastPause {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
