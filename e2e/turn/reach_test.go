package turn

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// special are addresses that a relay for all would lead where nobody should get by it.
var special = []string{
	"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "10.88.0.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.1.1",
	"169.254.169.254", "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.251", "240.0.0.1", "255.255.255.255", "10.88.0.255", "8.8.8.8",
	"::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::8",
	"::ffff:127.0.0.1", "::ffff:10.88.0.1", "::ffff:10.88.0.3", "::10.88.0.1", "64:ff9b::7f00:1", "64:ff9b::a58:1", "2002:a58:1::1",
}

// Nothing that a client with the right credentials asks for makes the server send a packet to anybody but the client: not to
// special addresses, not to others of the network, not to the server's own services.
func TestNoPacketLeaves(t *testing.T) {
	w := newWorld(t)
	w.start(t, "--tls", "self")
	username := in(time.Hour) + ":session"
	secret := password(w.secret(t), username)
	must(t, w.srv.CountOut(w.cli))
	w.checkTheCounter(t)
	before, err := w.srv.Counted()
	must(t, err)

	for _, over := range []string{"udp", "tcp", "tls"} {
		a, b := join(t, w.cli, over, w.addr(), username, secret), join(t, w.cli, over, w.addr(), username, secret)
		for i, ip := range special {
			to := netip.AddrPortFrom(netip.MustParseAddr(ip), 53)
			want := 403
			if to.Addr().Is6() && !to.Addr().Is4In6() {
				want = 443 // of another family than the allocation
			}
			if code := a.ask(t, stun.MethodCreatePermission, peer{to}); code != want {
				t.Errorf("%s: CreatePermission for %s: %d, want %d", over, ip, code, want)
			}
			number := stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{0x40, byte(i), 0, 0}}
			if code := a.ask(t, stun.MethodChannelBind, number, peer{to}); code != want {
				t.Errorf("%s: ChannelBind for %s: %d, want %d", over, ip, code, want)
			}
			a.indicate(t, to, "out of here")
			_, err := a.WriteTo([]byte{0x40, byte(i), 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}, a.TURNServerAddr())
			must(t, err)
		}
		// The address of the other end is permitted, whatever the port: the server's own are among them.
		must(t, a.CreatePermission(b.relayed.LocalAddr()))
		must(t, b.CreatePermission(a.relayed.LocalAddr()))
		for _, service := range []uint16{port, 9090, 53, 1, 65535} {
			a.indicate(t, netip.AddrPortFrom(w.srv.Addr, service), "to your own services")
		}
		// And it works, which also says that all of the above was dealt with.
		_, err := a.relayed.WriteTo([]byte("sample"), b.relayed.LocalAddr())
		must(t, err)
		b.hear(t, "sample")
	}
	after, err := w.srv.Counted()
	must(t, err)
	if after != before {
		t.Errorf("the server sent %d packets to others than its client", after-before)
	}
}

// checkTheCounter shows that what is looked for would be seen, on the network and on loopback.
func (w *world) checkTheCounter(t *testing.T) {
	t.Helper()
	for i, to := range []string{w.other.Addr.String() + ":53", "127.0.0.1:53", w.srv.Addr.String() + ":53"} {
		must(t, w.srv.Enter(func() error {
			conn, err := net.Dial("udp4", to)
			if err != nil {
				return err
			}
			defer conn.Close()
			_, err = conn.Write([]byte("seen?"))
			return err
		}))
		if n, err := w.srv.Counted(); err != nil || n < i+1 {
			t.Fatalf("a packet to %s is not counted: %d, %v", to, n, err)
		}
	}
}
