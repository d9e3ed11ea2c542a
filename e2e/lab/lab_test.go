package lab

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// The laboratory itself is tried first: a cut that cuts nothing would make every test behind it worthless.
func TestCutAndMendUDP(t *testing.T) {
	l := open(t, "a", "b")
	a, b := l.Host("a"), l.Host("b")
	if !reaches(t, a, b) {
		t.Fatal("no datagram crosses the switch")
	}
	if err := b.CutUDP(); err != nil {
		t.Fatal(err)
	}
	if reaches(t, a, b) {
		t.Error("a datagram came through the cut")
	}
	if err := b.MendUDP(); err != nil {
		t.Fatal(err)
	}
	if !reaches(t, a, b) {
		t.Error("no datagram comes through after the cut was mended")
	}
}

func TestUnplug(t *testing.T) {
	l := open(t, "a", "b")
	a, b := l.Host("a"), l.Host("b")
	if err := b.Unplug(); err != nil {
		t.Fatal(err)
	}
	if reaches(t, a, b) {
		t.Error("a datagram came through a pulled cable")
	}
	if err := b.Plug(); err != nil {
		t.Fatal(err)
	}
	for tries := 0; !reaches(t, a, b); tries++ { // the kernel asks for a lost neighbour once a second
		if tries == 10 {
			t.Fatal("no datagram comes through after the cable was put back")
		}
	}
}

func open(t *testing.T, names ...string) *Lab {
	t.Helper()
	need(t)
	l, err := New(names...)
	if err != nil {
		t.Fatal(err)
	}
	closeWith(t, l)
	return l
}

// need skips on a machine that is no laboratory, unless somebody asked for these tests.
func need(t *testing.T) {
	t.Helper()
	if err := Missing(); err != nil {
		if os.Getenv("TELEPATH_E2E") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func closeWith(t *testing.T, l *Lab) {
	t.Helper()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestDenyInbound(t *testing.T) {
	l := open(t, "a", "b")
	a, b := l.Host("a"), l.Host("b")
	if err := b.DenyInbound(); err != nil {
		t.Fatal(err)
	}
	if reaches(t, a, b) {
		t.Error("a datagram that nobody asked for came through the firewall")
	}
	if !reaches(t, b, a) {
		t.Error("no datagram leaves through the firewall")
	}
	asked := listenUDP(t, a, netip.AddrPortFrom(a.Addr, 0))
	asker := listenUDP(t, b, netip.AddrPortFrom(b.Addr, 0))
	packet := make([]byte, 16)
	_, _ = asker.WriteToUDP([]byte("hello"), asked.LocalAddr().(*net.UDPAddr)) // an error is seen as no answer
	_ = asked.SetReadDeadline(time.Now().Add(silence))
	if _, from, err := asked.ReadFromUDP(packet); err != nil {
		t.Error(err)
	} else {
		_, _ = asked.WriteToUDP([]byte("hello"), from)
	}
	_ = asker.SetReadDeadline(time.Now().Add(silence))
	if _, err := asker.Read(packet); err != nil {
		t.Errorf("no answer comes through the firewall: %v", err)
	}
}

// reaches says whether one of some datagrams from a comes to b within half a second.
func reaches(t *testing.T, a, b *Host) bool {
	t.Helper()
	var receiver, sender net.PacketConn
	listen := func(on *Host, conn *net.PacketConn) {
		err := on.Enter(func() (err error) {
			*conn, err = net.ListenPacket("udp4", on.Addr.String()+":0")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*conn).Close() })
	}
	listen(b, &receiver)
	listen(a, &sender)
	for range 5 {
		_, _ = sender.WriteTo([]byte("hello"), receiver.LocalAddr()) // an error counts as not reached
		_ = receiver.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, _, err := receiver.ReadFrom(make([]byte, 16)); err == nil {
			return true
		}
	}
	return false
}
