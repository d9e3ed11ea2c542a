package port

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// startUDP shares a UDP port of this machine, to the end of the test.
func startUDP(t testing.TB, listen string, cfg UDPConfig) *UDP {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(listen)))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Conn = conn
	u := NewUDP(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- u.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return u
}

// client is a socket that talks to u over IPv4.
func client(t testing.TB, u *UDP) *net.UDPConn {
	t.Helper()
	port := u.LocalAddr().(*net.UDPAddr).Port
	conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func send(t testing.TB, conn *net.UDPConn, b []byte) {
	t.Helper()
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

// await waits until the port has counted n datagrams.
func await(t testing.TB, u *UDP, n uint64) Counts {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		c, seen := u.Counts(), uint64(0)
		for _, s := range c.Served {
			seen += s
		}
		for _, d := range c.Dropped {
			seen += d
		}
		if seen >= n {
			return c
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d datagrams came: %+v", seen, n, c)
		}
	}
}

// TestUDPSides: each datagram reaches its side with its sender, who gets the answer, also on a socket of both families.
func TestUDPSides(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::]:0"} {
		u := startUDP(t, listen, UDPConfig{})
		conn := client(t, u)
		for _, side := range []Side{TURN, ICE} {
			c := u.PacketConn(side)
			datagram := map[Side][]byte{TURN: allocate, ICE: check}[side]
			send(t, conn, datagram)
			buf := make([]byte, 1500)
			n, from, err := c.ReadFrom(buf)
			if err != nil || string(buf[:n]) != string(datagram) || from.String() != conn.LocalAddr().String() {
				t.Fatalf("%v on %s got %d bytes from %v: %v", side, listen, n, from, err)
			}
			if _, err := c.WriteTo([]byte("answer"), from); err != nil {
				t.Fatal(err)
			}
			if n, err := conn.Read(buf); err != nil || string(buf[:n]) != "answer" {
				t.Errorf("the answer of %v on %s: %q, %v", side, listen, buf[:n], err)
			}
		}
	}
}

// TestUDPDrops: what nobody can have is counted by its reason, and a side that does not read costs the other nothing.
func TestUDPDrops(t *testing.T) {
	u := startUDP(t, "127.0.0.1:0", UDPConfig{Queue: 4})
	conn := client(t, u)
	send(t, conn, allocate)
	send(t, conn, []byte("\xffjunk"))
	send(t, conn, append(dtls[:len(dtls):len(dtls)], make([]byte, maxDatagram)...))
	await(t, u, 3)
	turn, ice := u.PacketConn(TURN), u.PacketConn(ICE)
	for range 10 {
		send(t, conn, allocate)
	}
	send(t, conn, dtls)
	got := await(t, u, 14)
	want := Counts{}
	want.Served[TURN], want.Served[ICE] = 4, 1
	want.Dropped[Unserved], want.Dropped[Unknown], want.Dropped[TooLarge], want.Dropped[QueueFull] = 1, 1, 1, 6
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if n, _, err := ice.ReadFromAddrPort(make([]byte, 1500)); n != len(dtls) || err != nil {
		t.Errorf("ICE got %d bytes, %v", n, err)
	}
	turn.Close()
	if _, _, err := turn.ReadFrom(make([]byte, 4)); err != nil { // what had come is there
		t.Error(err)
	}
	send(t, conn, allocate)
	if got := await(t, u, 15); got.Dropped[Unserved] != 2 {
		t.Errorf("%+v", got)
	}
	if _, err := turn.WriteTo(nil, conn.LocalAddr()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed side writes: %v", err)
	}
}

// TestUDPEnds: a side learns that the port, or it itself, is closed.
func TestUDPEnds(t *testing.T) {
	u := startUDP(t, "127.0.0.1:0", UDPConfig{})
	c, other := u.PacketConn(ICE), u.PacketConn(TURN)
	time.AfterFunc(10*time.Millisecond, func() { c.Close() })
	if _, _, err := c.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	u.Close()
	if _, _, err := other.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, _, err := u.PacketConn(TURN).ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPacketConn(nil, 1)
		read := func() time.Duration {
			began := time.Now()
			if _, _, err := c.ReadFromAddrPort(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		c.SetReadDeadline(time.Now().Add(time.Minute))
		if took := read(); took != time.Minute {
			t.Errorf("a minute takes %v", took)
		}
		if took := read(); took != 0 {
			t.Errorf("what has passed takes %v more", took)
		}
		c.SetReadDeadline(time.Now().Add(-time.Second))
		if took := read(); took != 0 {
			t.Errorf("the past takes %v", took)
		}
		c.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { c.SetDeadline(time.Now().Add(time.Minute)) })
		time.AfterFunc(time.Hour+time.Second, func() { c.SetDeadline(time.Now().Add(time.Hour)) })
		if took := read(); took != 2*time.Hour+time.Second {
			t.Errorf("a deadline that moves while it is waited for takes %v", took)
		}
	})
}

// TestUDPAllocatesNothing in steady state: neither for addresses nor for bytes.
func TestUDPAllocatesNothing(t *testing.T) {
	u := startUDP(t, "[::]:0", UDPConfig{Queue: 2})
	conn, ice := client(t, u), u.PacketConn(ICE)
	b, buf := append(dtls[:len(dtls):len(dtls)], make([]byte, 1100)...), make([]byte, 1500)
	roundTrip := func() {
		send(t, conn, b)
		n, from, err := ice.ReadFrom(buf)
		if err != nil || n != len(b) {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if _, err := ice.WriteTo(buf[:n], from); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	roundTrip()
	roundTrip() // each slot once
	if n := testing.AllocsPerRun(200, roundTrip); n != 0 {
		t.Errorf("%v allocations a datagram", n)
	}
}

// BenchmarkUDP is a round trip through a side, beside one of a bare socket.
func BenchmarkUDP(b *testing.B) {
	packet := append(dtls[:len(dtls):len(dtls)], make([]byte, 1100)...)
	trips := func(b *testing.B, conn *net.UDPConn, echo func(buf []byte)) {
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			buf := make([]byte, 1500)
			for range b.N {
				echo(buf)
			}
		}()
		buf := make([]byte, 1500)
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			send(b, conn, packet)
			if _, err := conn.Read(buf); err != nil {
				b.Fatal(err)
			}
		}
		<-stopped
	}
	b.Run("bare", func(b *testing.B) {
		server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		defer server.Close()
		conn, err := net.DialUDP("udp4", nil, server.LocalAddr().(*net.UDPAddr))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		trips(b, conn, func(buf []byte) {
			n, from, err := server.ReadFromUDPAddrPort(buf)
			if err == nil {
				_, _ = server.WriteToUDPAddrPort(buf[:n], from)
			}
		})
	})
	b.Run("side", func(b *testing.B) {
		u := startUDP(b, "127.0.0.1:0", UDPConfig{})
		ice := u.PacketConn(ICE)
		trips(b, client(b, u), func(buf []byte) {
			n, from, err := ice.ReadFromAddrPort(buf)
			if err == nil {
				_, _ = ice.WriteToAddrPort(buf[:n], from)
			}
		})
	})
}

// TestUDPAnswersFromWhereItWasAsked: a machine with several addresses, both
// families on one socket.
func TestUDPAnswersFromWhereItWasAsked(t *testing.T) {
	if controlRoom == 0 {
		t.Skip("the kernel chooses here")
	}
	for _, listen := range []string{"[::]:0", "0.0.0.0:0"} {
		u := startUDP(t, listen, UDPConfig{})
		ice, port := u.PacketConn(ICE), u.LocalAddr().(*net.UDPAddr).Port
		client, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		client.SetDeadline(time.Now().Add(patience))
		buf := make([]byte, 1500)
		for _, asked := range []string{"127.0.0.3", "127.0.0.2", "127.0.0.3"} {
			if _, err := client.WriteToUDP(check, &net.UDPAddr{IP: net.ParseIP(asked), Port: port}); err != nil {
				t.Fatal(err)
			}
			n, from, err := ice.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ice.WriteTo(buf[:n], from); err != nil {
				t.Fatal(err)
			}
			if _, answered, err := client.ReadFromUDPAddrPort(buf); err != nil || answered.Addr().String() != asked {
				t.Errorf("%s on %s is answered from %v, %v", asked, listen, answered, err)
			}
		}
	}
}

func TestSendersAreBounded(t *testing.T) {
	var s senders
	for i := range 3 * maxSenders {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), uint16(i>>16)+1)
		if got := s.know(addr, netip.Addr{}, 0); got.addr != addr || s.look(addr) != got {
			t.Fatal("a sender is not known")
		}
	}
	if len(s.of) > maxSenders {
		t.Errorf("%d senders", len(s.of))
	}
}
