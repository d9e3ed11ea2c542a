//go:build unix

package server

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	idleConnections = 1000             // for each listener
	goneWithin      = 15 * time.Second // from when the last of them came
)

// TestIdleConnectionsAreGone: whoever connects to a listener and then does
// nothing, or begins and stops, is gone in 15 s and harms nobody meanwhile.
func TestIdleConnectionsAreGone(t *testing.T) {
	needDescriptors(t, 2*2*idleConnections+500)
	s := start(t, Config{TLSSelf: true, Admin: "127.0.0.1:0"})
	beginnings := []string{"", "", "\x16", "\x16\x03\x01\x02\x00\x01", "G", "GET / HTTP/1.1\r\nHost:", "\x00", "\x00\x03\x00\x00\x21"}
	var idle []net.Conn
	for _, addr := range []string{s.Addr().String(), s.AdminAddr().String()} {
		for i := range idleConnections {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, beginnings[i%len(beginnings)]); err != nil && !gone(err) {
				t.Fatal(err)
			}
			idle = append(idle, conn)
		}
	}
	last := time.Now()
	for range 20 {
		if err := answers(s.Addr().String(), inTLS, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 "); err != nil {
			t.Fatalf("among the idle: %v", err)
		}
		if err := answers(s.AdminAddr().String(), nil, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 "); err != nil {
			t.Fatalf("among the idle, metrics: %v", err)
		}
	}
	var readers sync.WaitGroup
	for _, conn := range idle {
		readers.Go(func() {
			conn.SetReadDeadline(last.Add(goneWithin))
			if _, err := io.Copy(io.Discard, conn); err != nil && !gone(err) {
				t.Errorf("an idle connection: %v", err)
			}
		})
	}
	readers.Wait()
}

// gone reports whether the other end has hung up.
func gone(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) }

func needDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) < n {
		t.Skipf("%d file descriptors are needed, there are %d (%v)", n, limit.Cur, err)
	}
}

// TestMalformedCostsNothingAfterwards: what begins wrongly, in each way, on TCP
// and UDP, leaves the server with nothing to do.
func TestMalformedCostsNothingAfterwards(t *testing.T) {
	s := start(t, Config{TLSSelf: true})
	wrong := []string{
		"\x00\x03\x00\x07\x21\x12\xa4\x42transaction!",         // a length that is none, in a message of 20 bytes
		"\x00\x03\xff\xfc\x21\x12\xa4\x42transaction!",         // more to come than ever will
		"\x00\x00\x00\x03\x00\x00\x21\x12\xa4\x42transaction!", // a frame without bytes
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",             // a handshake of nonsense
		"\x16\x03\x01\xff\xff" + strings.Repeat("\xff", 100),   // a record that is too long
		"\xff\xff\xff\xff", "\x80\x60\x00\x01", "\x40\x01\x00\x04", // nobody's
	}
	udp, err := net.Dial("udp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for range 25 {
		for _, first := range wrong {
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close() // not before the end: the server closes
			_, _ = io.WriteString(conn, first)
			conn.SetReadDeadline(time.Now().Add(patience))
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("%q is not closed", first)
			}
			_, _ = io.WriteString(udp, first)
		}
	}
	const watched = time.Second
	before := cpuTime(t)
	time.Sleep(watched) // real time, in which nothing must happen
	if used := cpuTime(t) - before; used > watched/10 {
		t.Errorf("%v of processor time in %v without a request", used, watched)
	}
}

// cpuTime is what this process has used of all processors.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
