package rtc

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func startDoor(t *testing.T) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	d := newDoor(l)
	t.Cleanup(func() { d.Close(); d.wait() })
	return d
}

// knock connects and says something.
func knock(t *testing.T, d *door, say []byte) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", d.Addr().String())
	check(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = conn.Write(say)
	check(t, err)
	return conn
}

func bindingRequest(t *testing.T, name string) []byte {
	t.Helper()
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(name))
	check(t, err)
	return framed(m.Raw)
}

func framed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// isShut waits until the other end has closed conn.
func isShut(t *testing.T, conn net.Conn) {
	t.Helper()
	check(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("it was not closed: %v", err)
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// Only who begins as an attempt's other end does is let in, with all that he said.
func TestDoor(t *testing.T) {
	d := startDoor(t)
	d.expect("ours")
	for name, say := range map[string][]byte{
		"another attempt": bindingRequest(t, "other:theirs"),
		"no other end":    bindingRequest(t, "ours"),
		"HTTP":            []byte("GET / HTTP/1.1\r\n\r\n"),
		"too long":        framed(make([]byte, maxFirst+1)),
		"empty":           framed(nil),
		"no user":         framed(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw),
		"not a request":   framed(stun.MustBuild(stun.TransactionID, stun.BindingSuccess, stun.NewUsername("ours:theirs")).Raw),
		"half a request":  framed(bindingRequest(t, "ours:theirs")[2:24]),
	} {
		t.Run(name, func(t *testing.T) { isShut(t, knock(t, d, say)) })
	}
	say := bindingRequest(t, "ours:theirs")
	knock(t, d, say)
	in, err := d.Accept()
	check(t, err)
	defer in.Close()
	got := make([]byte, len(say))
	if _, err := io.ReadFull(in, got); err != nil || string(got) != string(say) {
		t.Errorf("%x, %v; want %x", got, err, say)
	}
	d.forget("ours")
	isShut(t, knock(t, d, say))
}

// One attempt has a bounded number of connections; who leaves makes room.
func TestDoorBoundsAnAttempt(t *testing.T) {
	d := startDoor(t)
	d.expect("ours")
	say := bindingRequest(t, "ours:theirs")
	var in []net.Conn
	for range maxConnsOf {
		knock(t, d, say)
		conn, err := d.Accept()
		check(t, err)
		in = append(in, conn)
	}
	isShut(t, knock(t, d, say))
	check(t, in[0].Close())
	_ = in[0].Close() // pion closes twice
	knock(t, d, say)
	conn, err := d.Accept()
	check(t, err)
	isShut(t, knock(t, d, say))
	for _, c := range append(in[1:], conn) {
		check(t, c.Close())
	}
}

// Silent connections lock nobody out: the one that has waited longest goes.
func TestDoorBoundsTheSilent(t *testing.T) {
	d := startDoor(t)
	d.expect("ours")
	var silent []net.Conn
	for range maxWaiting + 8 {
		silent = append(silent, knock(t, d, nil))
	}
	knock(t, d, bindingRequest(t, "ours:theirs"))
	conn, err := d.Accept()
	check(t, err)
	check(t, conn.Close())
	for _, c := range silent[:8] {
		isShut(t, c)
	}
}
