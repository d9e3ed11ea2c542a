package lab

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Enter calls fn on a thread inside h's namespace. Sockets that fn opens belong there for life; goroutines it starts do not.
func (h *Host) Enter(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its goroutine and nobody meets it in the wrong namespace
		done <- func() error {
			f, err := os.Open("/run/netns/" + h.NS)
			if err != nil {
				return err
			}
			defer f.Close()
			if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("enter namespace %s: %w", h.NS, err)
			}
			return fn()
		}()
	}()
	return <-done
}

// HTTP returns a client that dials from h. One connection a request: nothing is left behind.
func (h *Host) HTTP() *http.Client {
	dial := func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		err = h.Enter(func() error {
			// A numeric address dials on this thread; a name would be looked up on another one.
			conn, err = (&net.Dialer{FallbackDelay: -1}).DialContext(ctx, network, addr)
			return err
		})
		return conn, err
	}
	return &http.Client{
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
		Timeout:   10 * time.Second,
	}
}
