package peer

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
)

// kind of a data-channel connection (protocol, section 7.3). Each is begun,
// replaced and given up on its own; which one is used the ladder says.
type kind uint8

const (
	directly kind = iota // between addresses of the two ends
	turned               // through TURN servers
	kinds
)

// String is the kind for logs.
func (k kind) String() string { return [kinds]string{"direct", "turned"}[k] }

// kindOf is the kind that a signal is about.
func kindOf(m signal.Message) kind {
	if m.Turned {
		return turned
	}
	return directly
}

// rung that a connection of the kind has, as far as that is known before it stands.
func (e Endpoint) rung(k kind) ladder.Rung {
	switch {
	case k == turned:
		return ladder.TurnUDP
	case !e.may(ladder.UDP):
		return ladder.TCP
	}
	return ladder.UDP
}

// mayDirect reports whether any rung of the direct kind may carry.
func (e Endpoint) mayDirect(listens bool) bool {
	return e.may(ladder.UDP) || e.may(ladder.TCP) || listens && e.mayListen()
}

// udpRung is the rung of a kind on which datagrams go as such.
var udpRung = [kinds]ladder.Rung{directly: ladder.UDP, turned: ladder.TurnUDP}

// overUDP are the TURN servers that are reached over UDP.
func overUDP(told []signal.Server) []signal.Server {
	return onRungs(told, func(rung ladder.Rung) bool { return rung == ladder.TurnUDP })
}

// onRungs are the servers with those of their URLs that are on certain rungs.
func onRungs(told []signal.Server, on func(ladder.Rung) bool) (list []signal.Server) {
	for _, s := range told {
		s.URLs = slices.DeleteFunc(slices.Clone(s.URLs), func(u string) bool { return !on(TurnRung(u)) })
		if len(s.URLs) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// turnServers are those of the servers that were told whose rungs may carry.
func (e Endpoint) turnServers(told []signal.Server) (list []rtc.Server) {
	for _, s := range onRungs(told, e.may) {
		list = append(list, rtc.Server{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	return list
}

// TurnRungs are the rungs of the turned kind, best first.
func TurnRungs() []ladder.Rung { return []ladder.Rung{ladder.TurnUDP, ladder.TurnTCP, ladder.TurnTLS} }

// TurnRung is the rung that a TURN server's URL (RFC 7065) makes.
func TurnRung(u string) ladder.Rung {
	scheme, rest, _ := strings.Cut(u, ":")
	switch {
	case scheme == "turns":
		return ladder.TurnTLS
	case strings.HasSuffix(rest, "transport=tcp"):
		return ladder.TurnTCP
	}
	return ladder.TurnUDP
}

// mayTurn reports whether any rung of the turned kind may carry.
func (e Endpoint) mayTurn() bool {
	return slices.ContainsFunc(TurnRungs(), e.may)
}

// rtcConfig completes the configuration of a connection of a kind with what is
// known of the way to the server.
func (l *link) rtcConfig(cfg rtc.Config, k kind, told []signal.Server) rtc.Config {
	reached := l.road.address()
	cfg.IncludeLoopback = cfg.IncludeLoopback || reached.Addr().IsLoopback()
	if k == turned {
		cfg.RelayOnly, cfg.Servers = true, l.endpoint.turnServers(told)
		cfg.Dial, cfg.TLS = l.road.tunnel.DialContext, l.endpoint.TLS
		return cfg
	}
	cfg.NoUDP = !l.endpoint.may(ladder.UDP)
	if stun := l.stun(); stun != "" && !cfg.NoUDP {
		cfg.Servers = append(slices.Clone(cfg.Servers), rtc.Server{URLs: []string{stun}})
	}
	if reached.IsValid() {
		cfg.Own = append(slices.Clone(cfg.Own), reached, netip.AddrPortFrom(reached.Addr(), l.udpPort(reached.Port())))
	}
	return cfg
}

// stun is the URL at which the server says what it sees of our address: its own
// over UDP, as long as it says no other. Empty: there is none, or no need.
func (l *link) stun() string {
	u, err := url.Parse(l.endpoint.URL)
	if err != nil || u.Hostname() == "localhost" {
		return ""
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.IsLoopback() {
		return "" // no NAT is between
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		port = map[string]uint64{"https": 443, "wss": 443}[u.Scheme]
	}
	if port == 0 {
		port = 80
	}
	if port := l.udpPort(uint16(port)); port != 0 {
		return "stun:" + net.JoinHostPort(u.Hostname(), strconv.Itoa(int(port)))
	}
	return ""
}

// udpPort is the server's for ICE and TURN; that of its URL until it says another. 0: it has none.
func (l *link) udpPort(tcp uint16) uint16 {
	if l.udp != nil {
		return *l.udp
	}
	return tcp
}
