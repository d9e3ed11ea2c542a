package turn

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
)

// A connection without an allocation is gone in time, whatever it says; one
// that begins a frame must end it.
func TestIdleConnectionsGo(t *testing.T) {
	allocate, err := stun.Build(stun.TransactionID, allocateType, udpTransport)
	must(t, err)
	for name, c := range map[string]struct {
		say   []byte
		every time.Duration
	}{
		"says nothing":         {nil, time.Hour},
		"half a frame":         {allocate.Raw[:10], time.Hour},
		"asks again and again": {allocate.Raw, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := New(Config{Secret: "s"})
				must(t, err)
				ours := s.connect(t)
				go io.Copy(io.Discard, ours)
				begun := time.Now()
				for s.Stats().Connections > 0 {
					_, _ = ours.Write(c.say)
					time.Sleep(min(c.every, time.Second))
					if c.every > time.Minute {
						c.say = nil
					}
					synctest.Wait()
				}
				if took := time.Since(begun); took < allocateTime || took > allocateTime+2*time.Second {
					t.Errorf("it was gone after %v", took)
				}
				if s.counts.Refused[Idle].Load() != 1 {
					t.Error("it is not counted")
				}
				ours.Close()
			})
		})
	}
}

// One with an allocation lives as long as that, and is gone soon after.
func TestConnectionsWithAllocations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Secret: "s"})
		must(t, err)
		ours := s.connect(t)
		c := &scripted{t: t, conn: ours, s: s, username: "99999999999:session"}
		c.ask(allocateType, udpTransport, lifetime(3600-1))
		begun := time.Now()
		time.Sleep(silentTime - time.Second)
		c.ask(refreshType, lifetime(60)) // moves the time by which it must say something
		synctest.Wait()
		if n := s.Stats().Connections; n != 1 {
			t.Fatal("it is gone")
		}
		time.Sleep(59*time.Second + time.Millisecond) // a second early
		synctest.Wait()
		if have := s.Stats(); have.Allocations != 0 || have.Connections != 1 {
			t.Fatalf("%d allocations on %d connections after its life", have.Allocations, have.Connections)
		}
		c.ask(allocateType, udpTransport) // the same connection may allocate again
		time.Sleep(allocateTime + time.Second)
		c.ask(refreshType, lifetime(0))
		time.Sleep(allocateTime + time.Second)
		synctest.Wait()
		if n := s.Stats().Connections; n != 0 {
			t.Errorf("%v after it began, %v after its last allocation, the connection is there", time.Since(begun), allocateTime)
		}
		ours.Close()
	})
}

// A client that does not read is cut, so that what waits for it does not grow.
func TestClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Secret: "s"})
		must(t, err)
		ours := s.connect(t)
		allocate, err := stun.Build(stun.TransactionID, allocateType, udpTransport)
		must(t, err)
		_, err = ours.Write(allocate.Raw) // net.Pipe has no buffer: the answer waits for a reader
		must(t, err)
		time.Sleep(writeTime + time.Second)
		synctest.Wait()
		if n := s.Stats().Connections; n != 0 {
			t.Error("it is still there")
		}
		ours.Close()
	})
}

func TestMalformedFramesEndTheConnection(t *testing.T) {
	s := start(t, Config{})
	for _, wrong := range [][]byte{
		{0, 3, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, // a length that is 0 with the header's, as a uint16
		make([]byte, 20),
		{0x80, 0, 0, 0},
		{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0},
	} {
		conn, err := net.Dial("tcp", s.at["tcp"])
		must(t, err)
		_, err = conn.Write(wrong)
		must(t, err)
		if wrong[0] == 0 && wrong[2] == 0xff || wrong[0] == 0x7f { // long, not yet wrong: skipped, then the end comes
			must(t, conn.(*net.TCPConn).CloseWrite())
		}
		must(t, conn.SetReadDeadline(time.Now().Add(patience)))
		if _, err := io.ReadAll(conn); errors.Is(err, syscall.ETIMEDOUT) || isTimeout(err) {
			t.Errorf("% x: the connection stays", wrong)
		}
		conn.Close()
	}
	until(t, "all are gone", func() bool { return s.Stats().Connections == 0 })
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// ChannelData of four bytes and less is no special case.
func TestSmallFrames(t *testing.T) {
	s := start(t, Config{})
	friend := s.join(t, "udp", "s")
	conn, err := net.Dial("tcp", s.at["tcp"])
	must(t, err)
	defer conn.Close()
	username, _ := s.Credentials("s", time.Minute)
	c := &scripted{t: t, conn: conn, s: s.Server, username: username}
	allocated := c.ask(allocateType, udpTransport)
	var relayed stun.XORMappedAddress
	must(t, relayed.GetFromAs(allocated, stun.AttrXORRelayedAddress))
	from := &net.UDPAddr{IP: relayed.IP, Port: relayed.Port}
	must(t, friend.CreatePermission(from))
	c.ask(bindType, channel(0x4000), xorPeer{addrPort(friend.relayed.LocalAddr())})
	for _, frame := range []string{"\x40\x00\x00\x01a\x00\x00\x00", "\x40\x00\x00\x04abcd", "\x40\x00\x00\x05abcde\x00\x00\x00"} {
		_, err := conn.Write([]byte(frame))
		must(t, err)
		friend.hear(t, from, frame[4:4+int(frame[3])])
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	s := start(t, Config{Limits: Limits{Connections: 3}})
	var conns []net.Conn
	for range 5 {
		conn, err := net.Dial("tcp", s.at["tcp"])
		must(t, err)
		defer conn.Close()
		conns = append(conns, conn)
	}
	until(t, "two are refused", func() bool { return s.refused(Crowded) == 2 })
	for _, conn := range conns {
		conn.Close()
	}
	until(t, "all are gone", func() bool { return s.Stats().Connections == 0 })
	s.join(t, "tcp", "s")
}

// starving is a listener that has no file descriptors for a while.
type starving struct {
	net.Listener
	left int
}

func (l *starving) Accept() (net.Conn, error) {
	if l.left--; l.left >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestAcceptGoesOn(t *testing.T) {
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	s := start(t, Config{Listeners: []net.Listener{&starving{inner, 5}}})
	s.at["starving"] = inner.Addr().String()
	conn, err := net.Dial("tcp4", s.at["starving"])
	must(t, err)
	defer conn.Close()
	c := &scripted{t: t, conn: conn, s: s.Server, username: "99999999999:s"}
	c.ask(allocateType, udpTransport)
}
