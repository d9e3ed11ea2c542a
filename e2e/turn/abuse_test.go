package turn

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/telepath-iot/telepath/e2e/lab"
)

// allocates makes two ends meet over each transport, new ones.
func (w *world) allocates(t *testing.T, transports ...string) {
	t.Helper()
	username := in(time.Hour) + ":" + strconv.FormatInt(time.Now().UnixNano(), 36)
	secret := password(w.secret(t), username)
	for _, over := range transports {
		a, b := join(t, w.cli, over, w.addr(), username, secret), join(t, w.cli, over, w.addr(), username, secret)
		must(t, b.CreatePermission(a.relayed.LocalAddr()))
		_, err := a.relayed.WriteTo([]byte("sample"), b.relayed.LocalAddr())
		must(t, err)
		b.hear(t, "sample")
	}
}

// open makes connections of a host to the server and lets each say something.
func open(t *testing.T, on *lab.Host, n int, at, first string) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, 0, n)
	t.Cleanup(func() {
		for _, c := range conns {
			c.Close()
		}
	})
	must(t, on.Enter(func() error {
		for range n {
			c, err := net.DialTimeout("tcp4", at, patience)
			if err != nil {
				return err
			}
			conns = append(conns, c)
			if _, err := io.WriteString(c, first); err != nil {
				return err
			}
		}
		return nil
	}))
	return conns
}

// anAllocate without attributes; it needs no credentials to be answered with 401.
const anAllocate = "\x00\x03\x00\x00\x21\x12\xa4\x42transaction!"

// File descriptors run out, and come back.
func TestDescriptorsRunOut(t *testing.T) {
	w := newWorld(t)
	w.start(t, "--tls", "self")
	w.allocates(t, "udp", "tcp", "tls")
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.server.PID()))
	must(t, err)
	var old unix.Rlimit
	few := unix.Rlimit{Cur: uint64(len(entries)) + 5}
	must(t, unix.Prlimit(w.server.PID(), unix.RLIMIT_NOFILE, nil, &old))
	few.Max = old.Max
	must(t, unix.Prlimit(w.server.PID(), unix.RLIMIT_NOFILE, &few, nil))
	waiting := open(t, w.cli, 50, w.addr(), anAllocate)
	answered := 0
	for _, c := range waiting {
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := c.Read(make([]byte, 100)); err == nil {
			answered++
		}
	}
	if answered > 20 {
		t.Fatalf("%d of 50 connections were taken: descriptors have not run out", answered)
	}
	for _, c := range waiting {
		c.Close()
	}
	must(t, unix.Prlimit(w.server.PID(), unix.RLIMIT_NOFILE, &old, nil))
	begun := time.Now()
	w.allocates(t, "udp", "tcp", "tls")
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v after they came back", took)
	}
}

// Frames that are none, and frames that never end, cost nothing once they were looked at.
func TestMalformedFramesCostNothing(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	for _, wrong := range []string{
		// A STUN header whose length, with the header's 20, is 0 as a uint16: a reader that adds them in 16 bits makes no progress.
		"\x00\x03\xff\xec\x21\x12\xa4\x42transaction!",
		"\x00\x03\x00\x01\x21\x12\xa4\x42transaction!",
		"\x01\x01\xff\xfc\x21\x12\xa4\x42transaction!",
		anAllocate + "\x40\x00\xff\xff",
		anAllocate + "\x00\x00\x00\x00\x00\x00\x00\x00",
		anAllocate + "\x7f\xff\x00\x01",
	} {
		open(t, w.cli, 20, w.addr(), wrong)
	}
	time.Sleep(500 * time.Millisecond) // until what they cost is paid
	before := w.cpu(t)
	const watched = 3 * time.Second
	time.Sleep(watched)
	if used := w.cpu(t) - before; used > watched/20 {
		t.Errorf("the server used %v of %v", used, watched)
	}
	w.allocates(t, "udp", "tcp")
}

// cpu is the processor time that the server has used.
func (w *world) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.server.PID()))
	must(t, err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	var ticks int
	for _, field := range fields[11:13] { // utime and stime (proc(5)), of which there are 100 a second
		n, err := strconv.Atoi(field)
		must(t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// A thousand connections that stay without an allocation, as many from an address as one may have; they are gone in 15 s, and in
// the meantime somebody else is served.
func TestIdleConnectionsHarmNobody(t *testing.T) {
	crowd := []string{"a", "b", "c", "d"}
	w := newWorld(t, crowd...)
	w.start(t)
	begun := time.Now()
	var idle []net.Conn
	for i, name := range crowd { // some of them have an answer, some do not end their first frame
		idle = append(idle, open(t, w.lab.Host(name), 250, w.addr(), anAllocate[:20-i%2*10])...)
	}
	for _, over := range []string{"udp", "tcp"} {
		at := time.Now()
		username := in(time.Hour) + ":session"
		join(t, w.cli, over, w.addr(), username, password(w.secret(t), username))
		if took := time.Since(at); took > 2*time.Second {
			t.Errorf("an allocation over %s took %v", over, took)
		}
	}
	for i, c := range idle {
		_ = c.SetReadDeadline(begun.Add(15 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && os.IsTimeout(err) {
			t.Fatalf("connection %d is still there", i)
		}
	}
}
