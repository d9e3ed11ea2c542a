package turn

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// quiet is the log of clients, which find a lot to say about servers that refuse them.
type quiet struct{}

func (quiet) NewLogger(string) logging.LeveledLogger { return pionLog{discard} }

func TestTwoEndsMeet(t *testing.T) {
	s := start(t, Config{})
	ways := []string{"udp", "tcp", "tls"}
	if s.at["udp6"] != "" {
		ways = append(ways, "udp6")
	}
	for _, a := range ways {
		for _, b := range ways {
			t.Run(a+"-"+b, func(t *testing.T) {
				session := a + b
				viewer, device := s.join(t, a, session), s.join(t, b, session)
				from, to := viewer.relayed.LocalAddr(), device.relayed.LocalAddr()
				if ip := addrPort(from).Addr(); ip != netip.MustParseAddr("203.0.113.7") {
					t.Errorf("a relayed address is at %v", ip)
				}
				must(t, device.CreatePermission(from))
				// First by Send, then by ChannelData, which pion's client binds in the background.
				for i := range 100 {
					text := fmt.Sprintf("sample %d %s", i, strings.Repeat("x", i)) // pion's client does not read 4 bytes or less from a stream
					viewer.send(t, to, text)
					device.hear(t, from, text)
					device.send(t, from, text)
					viewer.hear(t, to, text)
				}
				viewer.send(t, to, strings.Repeat("y", 1400))
				device.hear(t, from, strings.Repeat("y", 1400))
			})
		}
	}
}

// A client that comes over IPv6 and asks for no family gets IPv4, so that it meets the others; who asks gets what it asks for.
func TestFamilies(t *testing.T) {
	s := start(t, Config{})
	username, _ := s.Credentials("s", time.Minute)
	for i, c := range []struct {
		family []stun.Setter
		want   string
	}{
		{nil, "203.0.113.7"},
		{[]stun.Setter{stun.RawAttribute{Type: stun.AttrRequestedAddressFamily, Value: []byte{1, 0, 0, 0}}}, "203.0.113.7"},
		{[]stun.Setter{stun.RawAttribute{Type: stun.AttrRequestedAddressFamily, Value: []byte{2, 0, 0, 0}}}, "2001:db8::7"},
	} {
		over := "udp"
		if s.at["udp6"] != "" {
			over = "udp6"
		}
		e := s.end(t, over, username, "")
		answer := e.ask(t, s, username, allocateType, append(c.family, udpTransport)...)
		var relayed stun.XORMappedAddress
		if err := relayed.GetFromAs(answer, stun.AttrXORRelayedAddress); err != nil || relayed.IP.String() != c.want {
			t.Errorf("%d: %v at %v, want %s", i, err, relayed.IP, c.want)
		}
	}
}

func TestCredentials(t *testing.T) {
	s := start(t, Config{})
	name, password := s.Credentials("s", time.Minute)
	old, oldPassword := s.credentials.issue("s", time.Now().Add(-time.Second))
	other, otherPassword := credentials("another secret").issue("s", time.Now().Add(time.Minute))
	for _, over := range []string{"udp", "tcp", "tls"} {
		for _, c := range []struct {
			name, password string
			why            Refusal
		}{
			{name, password + "x", WrongMAC},
			{name, otherPassword, WrongMAC},
			{other, otherPassword, WrongMAC},
			{strings.Replace(name, ":s", ":t", 1), password, WrongMAC},
			{"9" + name, password, WrongMAC}, // would live longer
			{old, oldPassword, Expired},
			{"s", password, WrongUser},
			{":s", password, WrongUser},
			{"99999999999:", password, WrongUser},
			{"99999999999:" + strings.Repeat("s", maxUsername), password, WrongUser},
		} {
			before := s.refused(c.why)
			e := s.end(t, over, c.name, c.password)
			if _, err := e.Allocate(); err == nil {
				t.Errorf("%s: %q, %q made an allocation", over, c.name, c.password)
			}
			if s.refused(c.why) == before {
				t.Errorf("%s: %q is not counted as %s", over, c.name, c.why)
			}
		}
	}
	if n := s.Stats().Allocations; n != 0 {
		t.Errorf("%d allocations", n)
	}
}

// Browsers cannot give a connection new credentials: what was allocated in time can be kept.
func TestExpiredCredentialsKeepAnAllocation(t *testing.T) {
	s := start(t, Config{})
	for method, want := range map[stun.Method]bool{
		stun.MethodAllocate: false, stun.MethodRefresh: true, stun.MethodCreatePermission: true, stun.MethodChannelBind: true,
	} {
		username, _ := s.credentials.issue("s", time.Now().Add(-time.Hour))
		_, _, ok := s.authenticate(&turn.RequestAttributes{Username: username, Realm: realm, Method: method})
		if ok != want {
			t.Errorf("%v with expired credentials: %v", method, ok)
		}
	}
}

// The credentials of another session are of no use with an allocation, and its addresses are out of reach.
func TestSessionsDoNotMeet(t *testing.T) {
	s := start(t, Config{})
	a, b := s.join(t, "udp", "a"), s.join(t, "tcp", "b")
	friend := s.join(t, "tls", "a") // so that the address itself, without its number, is permitted
	must(t, a.CreatePermission(friend.relayed.LocalAddr()))
	a.send(t, b.relayed.LocalAddr(), "hello?")
	b.hearNothing(t)
	if n := s.counts.Drops[NoPeer].Load(); n == 0 {
		t.Error("the packet was not dropped, and has not come")
	}
	wantError(t, b.CreatePermission(a.relayed.LocalAddr()), "403")

	foreign, _ := s.Credentials("b", time.Minute)
	own, _ := s.Credentials("a", time.Minute)
	lifetime := stun.RawAttribute{Type: stun.AttrLifetime, Value: []byte{0, 0, 0, 60}}
	if code := codeOf(t, a.ask(t, s, own, refreshType, lifetime)); code != 0 {
		t.Fatalf("a refresh with the right credentials: %d", code)
	}
	m, err := stun.Build(stun.TransactionID, refreshType, stun.RawAttribute{Type: stun.AttrLifetime, Value: []byte{0, 0, 0, 0}},
		stun.NewUsername(foreign), stun.NewRealm(realm), a.nonce, stun.NewLongTermIntegrity(foreign, realm, s.credentials.password(foreign)))
	must(t, err)
	if _, err := a.PerformTransaction(m, a.TURNServerAddr(), true); err != nil {
		t.Fatal(err)
	}
	time.Sleep(tinyTime)
	if n := s.Stats().Allocations; n != 3 {
		t.Errorf("%d allocations are left of 3: one was given back with foreign credentials", n)
	}
}

// special are addresses that a relay for all would lead into networks that are nobody's business.
var special = []string{
	"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.1.1",
	"169.254.169.254", "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255",
	"8.8.8.8", "203.0.113.6",
	"::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001:db8::7", "100::8",
	"::ffff:127.0.0.1", "::ffff:203.0.113.7", "::203.0.113.7", "64:ff9b::127.0.0.1", "64:ff9b::203.0.113.7", "2002:cb00:7107::1",
}

func TestNobodyElseIsReached(t *testing.T) {
	s := start(t, Config{})
	for _, over := range []string{"udp", "tcp", "tls"} {
		e, friend := s.join(t, over, over), s.join(t, over, over)
		username, _ := s.Credentials(over, time.Minute)
		number := addrPort(friend.relayed.LocalAddr()).Port()
		for _, ip := range special {
			peer := xorPeer{netip.AddrPortFrom(netip.MustParseAddr(ip), number)}
			want := 403
			if peer.Addr().Is6() && !peer.Addr().Is4In6() {
				want = 443 // the allocation's family is IPv4
			}
			if code := codeOf(t, e.ask(t, s, username, permissionType, peer)); code != want {
				t.Errorf("%s: CreatePermission for %s: %d, want %d", over, ip, code, want)
			}
			if code := codeOf(t, e.ask(t, s, username, bindType, channel(0x4001), peer)); code != want {
				t.Errorf("%s: ChannelBind for %s: %d, want %d", over, ip, code, want)
			}
			send, err := stun.Build(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peer, stun.RawAttribute{Type: stun.AttrData, Value: []byte("out")})
			must(t, err)
			_, err = e.WriteTo(send.Raw, e.TURNServerAddr())
			must(t, err)
		}
		friend.hearNothing(t)
		// The right one, for comparison.
		if code := codeOf(t, e.ask(t, s, username, permissionType, xorPeer{addrPort(friend.relayed.LocalAddr())})); code != 0 {
			t.Errorf("%s: CreatePermission for the other end: %d", over, code)
		}
	}
	if n := s.counts.Packets.Load(); n != 0 {
		t.Errorf("%d packets went somewhere", n)
	}
}

// A permission is for an address whatever the port (RFC 8656, section 9): what is behind it must know better.
func TestNumbersAreChecked(t *testing.T) {
	s := start(t, Config{})
	e, friend := s.join(t, "tcp", "s"), s.join(t, "tcp", "s")
	must(t, e.CreatePermission(friend.relayed.LocalAddr()))
	must(t, friend.CreatePermission(e.relayed.LocalAddr()))
	own := friend.relayed.LocalAddr().(*net.UDPAddr)
	for _, port := range []int{0, 1, 22, 443, own.Port - 1, own.Port + 1} {
		e.send(t, &net.UDPAddr{IP: own.IP, Port: port}, "knock")
	}
	e.send(t, e.relayed.LocalAddr(), "myself")
	friend.hearNothing(t)
	e.send(t, own, "here")
	friend.hear(t, e.relayed.LocalAddr(), "here")
}

func TestQuotas(t *testing.T) {
	s := start(t, Config{Limits: Limits{PerSession: 3, Allocations: 4}})
	for range 3 {
		s.join(t, "udp", "a")
	}
	username, password := s.Credentials("a", time.Minute)
	_, err := s.end(t, "tcp", username, password).Allocate()
	wantError(t, err, "486")
	first := s.join(t, "tcp", "b")
	username, password = s.Credentials("c", time.Minute)
	_, err = s.end(t, "tcp", username, password).Allocate()
	wantError(t, err, "508")
	must(t, first.relayed.Close())
	until(t, "the place is free again", func() bool { return s.Stats().Allocations == 3 })
	s.join(t, "tls", "c")
	if have := s.Stats(); have.Sessions != 2 || s.refused(OverQuota) != 1 || s.refused(Full) != 1 {
		t.Errorf("%d sessions, %d over quota, %d beyond all", have.Sessions, s.refused(OverQuota), s.refused(Full))
	}
}

func TestRevoke(t *testing.T) {
	s := start(t, Config{})
	username, password := s.Credentials("s", time.Minute)
	a, b, bystander := s.join(t, "udp", "s"), s.join(t, "tcp", "s"), s.join(t, "tcp", "t")
	must(t, a.CreatePermission(b.relayed.LocalAddr()))
	s.Revoke("s")
	if n := s.Stats().Allocations; n != 1 {
		t.Fatalf("%d allocations are left", n)
	}
	if _, err := a.relayed.WriteTo([]byte("still there?"), b.relayed.LocalAddr()); err == nil {
		b.hearNothing(t)
	}
	if code := codeOf(t, a.ask(t, s, username, refreshType)); code != 437 {
		t.Errorf("a refresh of what was revoked: %d", code)
	}
	if _, err := s.end(t, "tls", username, password).Allocate(); err == nil || s.refused(Revoked) == 0 {
		t.Errorf("revoked credentials: %v", err)
	}
	must(t, bystander.CreatePermission(s.join(t, "udp", "t").relayed.LocalAddr()))
	s.join(t, "udp", "s") // new credentials allow it again
}

func TestTCPAllocationsAreRefused(t *testing.T) {
	s := start(t, Config{})
	e := s.join(t, "tcp", "s")
	username, password := s.Credentials("s", time.Minute)
	_, err := s.end(t, "tcp", username, password).AllocateTCP()
	wantError(t, err, "508")
	friend := s.join(t, "tcp", "s")
	peer := xorPeer{addrPort(friend.relayed.LocalAddr())}
	if code := codeOf(t, e.ask(t, s, username, stun.NewType(stun.MethodConnect, stun.ClassRequest), peer)); code != 447 {
		t.Errorf("Connect: %d", code)
	}
	if s.refused(Transport) != 2 {
		t.Errorf("%d refused", s.refused(Transport))
	}
}

// Each packet searches the channels of its allocation.
func TestChannelsAreBounded(t *testing.T) {
	s := start(t, Config{})
	e, friend := s.join(t, "tcp", "s"), s.join(t, "tcp", "s")
	username, _ := s.Credentials("s", time.Minute)
	ip := addrPort(friend.relayed.LocalAddr()).Addr()
	for i := range 2 * maxChannels {
		code := codeOf(t, e.ask(t, s, username, bindType, channel(0x4000+i), xorPeer{netip.AddrPortFrom(ip, uint16(1000+i))}))
		if want := map[bool]int{true: 0, false: 403}[i < maxChannels]; code != want {
			t.Fatalf("channel %d: %d, want %d", i, code, want)
		}
	}
}

func TestEvenPorts(t *testing.T) {
	s := start(t, Config{})
	username, _ := s.Credentials("s", time.Minute)
	e := s.end(t, "tcp", username, "")
	answer := e.ask(t, s, username, allocateType, udpTransport, stun.RawAttribute{Type: stun.AttrEvenPort, Value: []byte{0}})
	var relayed stun.XORMappedAddress
	if err := relayed.GetFromAs(answer, stun.AttrXORRelayedAddress); err != nil || relayed.Port%2 != 0 {
		t.Errorf("%v, port %d", err, relayed.Port)
	}
	if n := s.Stats().Allocations; n != 1 {
		t.Errorf("%d allocations", n)
	}
}

func TestStun(t *testing.T) {
	s := start(t, Config{})
	for over := range s.at {
		e := s.end(t, over, "", "")
		mapped, err := e.SendBindingRequest()
		if err != nil || mapped.String() != strings.Replace(localAddr(e.conn), "127.0.0.1", addrPort(mapped).Addr().String(), 1) {
			t.Errorf("%s: %v, %v", over, mapped, err)
		}
	}
}

// Where another TURN server is used, or none, a client still learns its address here, and gets nothing else.
func TestOnlySTUN(t *testing.T) {
	s := start(t, Config{OnlySTUN: true})
	e := s.end(t, "udp", "", "")
	mapped, err := e.SendBindingRequest()
	if err != nil || addrPort(mapped).Port() != addrPort(e.conn.LocalAddr()).Port() {
		t.Errorf("%v, %v", mapped, err)
	}
	asks := s.dial(t, "udp")
	allocate, err := stun.Build(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest))
	must(t, err)
	_, err = asks.WriteTo(allocate.Raw, addrOf(t, s.at["udp"]))
	must(t, err)
	until(t, "the request is refused", func() bool { return s.refused(NotAllocated) == 1 })
	must(t, asks.SetReadDeadline(time.Now().Add(tinyTime)))
	if n, _, err := asks.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("it is answered with %d bytes", n)
	}
}

func TestForbiddenLeavesTheRest(t *testing.T) {
	build := func(setters ...stun.Setter) []byte {
		m, err := stun.Build(append([]stun.Setter{stun.TransactionID}, setters...)...)
		must(t, err)
		return m.Raw
	}
	bindError := stun.NewType(stun.MethodChannelBind, stun.ClassErrorResponse)
	for name, p := range map[string][]byte{
		"empty":        nil,
		"data":         {0x40, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"challenge":    build(bindError, stun.CodeUnauthorized, stun.NewNonce("n"), stun.NewRealm(realm)),
		"other code":   build(bindError, stun.CodeBadRequest),
		"other method": build(stun.NewType(stun.MethodAllocate, stun.ClassErrorResponse), stun.CodeUnauthorized),
		"no code":      build(bindError),
		"success":      build(stun.NewType(stun.MethodChannelBind, stun.ClassSuccessResponse)),
	} {
		if !bytes.Equal(forbidden(p), p) {
			t.Errorf("%s was changed", name)
		}
	}
}
