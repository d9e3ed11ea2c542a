package lab

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/telepath-iot/telepath/e2e/tidy"
)

// NewInternet builds a laboratory whose switch is the public network: documentation addresses (RFC 5737), no multicast from
// host to host. The named hosts are on it, without a firewall; Home adds one behind a router.
//
//	            192.168.1.0/24           203.0.113.0/24
//	dev .2 ────────────── .1 dev's router ──┐
//	                                   srv ─┼── switch
//	view .2 ───────────── .1 view's router ─┘
//	            192.168.2.0/24
//
// A router's name is that of the host behind it and "-router". What it does with what passes it is its kind.
func NewInternet(names ...string) (*Lab, error) {
	return build(netip.MustParsePrefix("203.0.113.0/24"), func(h *Host) error {
		return h.nft("table ip public {\n chain out { type filter hook output priority 0; ip daddr 224.0.0.0/4 drop; }\n}")
	}, names)
}

// Home adds a host to an internet: of the kind Open to the public network itself, of any other behind a router of its own.
func (l *Lab) Home(name string, kind Kind) (*Home, error) {
	if kind == Open {
		h, err := l.add(name)
		return &Home{Host: h, Kind: kind}, err
	}
	router, err := l.add(name + "-router")
	if err != nil {
		return nil, err
	}
	l.homes++
	lan := netip.AddrFrom4([4]byte{192, 168, byte(l.homes), 0})
	home := newHome(router, l.prefix+"-"+name, lan, kind)
	l.hosts[name] = home.Host
	return home, home.build()
}

// Home is a host, and the router between it and all others.
type Home struct {
	*Host
	Router *Host // nil: the host is on the public network itself
	Kind   Kind
	Inside netip.Addr // of the router, as the host sees it: its gateway
	forget func()     // when it is closed
}

// NewHome puts a host of a namespace of its own behind a router that is there already: the end of a link, say. Close removes it.
func NewHome(router *Host, ns string, kind Kind) (*Home, error) {
	home := newHome(router, ns, netip.MustParseAddr("192.168.1.0"), kind)
	var err error
	home.forget, err = tidy.Make(home.build, nil, func() { removeAll(ns) })
	return home, err
}

// newHome is a host of a network of 256 addresses: the first one is the router's, the second one the host's.
func newHome(router *Host, ns string, lan netip.Addr, kind Kind) *Home {
	inside := lan.Next()
	return &Home{Host: &Host{NS: ns, Addr: inside.Next()}, Router: router, Kind: kind, Inside: inside}
}

// Move gives the host another address at home and takes the one it had away, as another lease does: its system knows of it, and
// what was bound to the old address is of no use any more. A FullCone's router lets in to the first address only.
func (h *Home) Move() error {
	first, second := h.Inside.Next(), h.Inside.Next().Next()
	h.Addr = map[netip.Addr]netip.Addr{first: second, second: first}[h.Addr]
	return h.readdress(
		"addr flush dev eth0",
		"addr add "+h.Addr.String()+"/24 dev eth0",
		"route replace default via "+h.Inside.String(),
	)
}

// Close removes what NewHome has made; homes of a laboratory are removed with it.
func (h *Home) Close() error {
	defer h.forget()
	return remove(h.NS)
}

// inner is the router's interface towards the host.
const inner = "home0"

// build joins the two, and has the router pass on what its kind lets through.
func (h *Home) build() error {
	gateway := h.Inside
	err := run(
		"ip netns add "+h.NS,
		"ip -n "+h.Router.NS+" link add "+inner+" type veth peer name eth0 netns "+h.NS,
		"ip -n "+h.Router.NS+" addr add "+gateway.String()+"/24 dev "+inner,
		"ip -n "+h.Router.NS+" link set "+inner+" up",
		"ip -n "+h.NS+" link set lo up",
		"ip -n "+h.NS+" addr add "+h.Addr.String()+"/24 dev eth0",
		"ip -n "+h.NS+" link set eth0 up",
		"ip -n "+h.NS+" route add default via "+gateway.String(),
	)
	if err != nil {
		return err
	}
	if err := h.Router.nft(h.Kind.rules(h.Addr)); err != nil {
		return err
	}
	return h.Router.Enter(func() error {
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
			return fmt.Errorf("forward packets: %w", err)
		}
		return nil
	})
}
