package rtc

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Config says how connections are made. The zero value works: every network
// of this machine, no server but our own.
type Config struct {
	// Servers are STUN and TURN servers. Default: none; a viewer and a device
	// that can reach one another's addresses need none.
	Servers []Server

	// RelayOnly makes the turned kind of connection: only relayed addresses, of
	// the TURN servers among Servers at this end and of whichever at the other.
	RelayOnly bool

	// Dial connects to TURN servers over TCP. Default: net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS says whom to trust of TURN servers over TLS. Default: the system's authorities.
	TLS *tls.Config

	// Own are the listening sockets of our server: a candidate of the other end
	// there is none, but would have us talk to the server in its name.
	Own []netip.AddrPort

	// Filter says which addresses of the other end may be tried, and which of
	// our own are offered. It adds to what is refused anyway: unspecified,
	// multicast and link-local ones, and loopback without IncludeLoopback.
	// Default: all others.
	Filter func(netip.Addr) bool

	// IncludeLoopback lets two ends on one machine meet on 127.0.0.1 and ::1.
	IncludeLoopback bool

	// NoMDNS does not ask the local network for the .local names under which
	// browsers hide their addresses. Asking needs UDP port 5353.
	NoMDNS bool

	// Listener is where the other end may connect to over TCP (RFC 6544), beside
	// UDP; of direct connections. Default: nowhere.
	Listener *Listener

	// DialTCP connects to where the other end of a direct connection listens.
	// Default: a candidate does not make us try whether a TCP port is open.
	DialTCP bool

	// NoUDP leaves UDP out, of direct connections.
	NoUDP bool

	// Window is what the other end may have in flight, in bytes; default 256 KiB.
	Window int

	// Limits bound the queue; zero bounds are the defaults.
	Limits carrier.Limits

	// Log gets pion's words at debug level. Default: nobody.
	Log *slog.Logger

	net    transport.Net // the tests' network; nil: the real one
	server bool          // the other end, or this one, is the server, which takes no candidates
}

// Server is a STUN or TURN server, by its URLs (RFC 7064, RFC 7065).
type Server struct {
	URLs       []string
	Username   string // TURN only
	Credential string // TURN only
}

func (cfg Config) orDefault() Config {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// allows reports whether an address may be used on either end.
func (cfg Config) allows(a netip.Addr) bool {
	a = a.Unmap()
	switch {
	case !a.IsValid(), a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast():
		return false
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return false
	case a.IsLoopback() && !cfg.IncludeLoopback:
		return false
	}
	return cfg.Filter == nil || cfg.Filter(a)
}

func (cfg Config) allowsIP(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	return ok && cfg.allows(a)
}

// Times and sizes of a connection, each with its reason.
const (
	// dtlsRetransmit repeats a lost handshake flight. pion's second is an age
	// on a path that ICE has just measured.
	dtlsRetransmit = 250 * time.Millisecond

	// sctpRTOMax bounds SCTP's back-off, which nothing resets: after an outage
	// reliable data would wait up to a minute.
	sctpRTOMax = time.Second

	// leastWindow is the least of SCTP's congestion window, in bytes. Losses of
	// a radio would shrink it until Live samples wait; live.Out watches
	// the queue instead. It holds what is sent into ten seconds of darkness.
	leastWindow = 48 << 10

	// defaultWindow is SCTP's receive window.
	defaultWindow = 256 << 10

	// ICE's own verdict. Our probes know much sooner; these times only bound
	// how long a dead connection lies about, which a link that comes back may still use.
	iceDisconnected = 3 * time.Second
	iceFailed       = 27 * time.Second
	iceChecking     = 10 * time.Second
	iceKeepAlive    = time.Second

	// relayWait lets the best of several ways to the TURN servers win, though
	// another one had its answer first.
	relayWait = 150 * time.Millisecond

	// iceChecks is how often a pair is tried, each 200 ms, before it counts as
	// dead: 5 s, because the other end may learn our address late, and its
	// firewall may let us in only after it has sent itself.
	iceChecks = 25
)

// settings is the setting engine with all that facts have taught.
func (cfg Config) settings(relays *relayDialer) webrtc.SettingEngine {
	var s webrtc.SettingEngine
	s.LoggerFactory = logFactory{cfg.Log}
	s.DetachDataChannels()
	s.EnableDataChannelBlockWrite(true)
	s.SetNet(cfg.net)

	s.SetNetworkTypes(cfg.networks())
	s.DisableActiveTCP(!cfg.DialTCP || cfg.RelayOnly)
	if cfg.listens() {
		s.SetICETCPMux(cfg.Listener.mux)
	}
	if cfg.RelayOnly {
		s.SetICEProxyDialer(relays)
		s.SetRelayAcceptanceMinWait(relayWait)
	} else {
		s.SetIPFilter(cfg.allowsIP) // with it pion would allocate once for each of our addresses
		s.SetRelayAcceptanceMinWait(0)
	}
	s.SetRemoteIPFilter(cfg.allowsIP) // also for what .local names resolve to
	s.SetIncludeLoopbackCandidate(cfg.IncludeLoopback)
	s.SetICEMulticastDNSMode(cfg.mdns())
	s.SetHostAcceptanceMinWait(0)
	s.SetSrflxAcceptanceMinWait(0)
	s.SetPrflxAcceptanceMinWait(0)
	s.SetICETimeouts(iceDisconnected, iceFailed, iceKeepAlive)
	s.SetICEMaxBindingRequests(iceChecks)

	_ = s.SetAnsweringDTLSRole(webrtc.DTLSRoleClient) // fails for other roles only; saves a round trip
	s.SetDTLSInsecureSkipHelloVerify(true)            // the cookie proves an address; ICE has done that
	s.SetDTLSRetransmissionInterval(dtlsRetransmit)
	s.SetDTLSCipherSuites(ciphers...)

	s.EnableSctpSnap(true)
	s.SetSCTPRTOMax(sctpRTOMax)
	s.SetSCTPMinCwnd(leastWindow)
	s.SetSCTPMaxReceiveBufferSize(uint32(cmp.Or(cfg.Window, defaultWindow)))
	s.SetSCTPMaxMessageSize(wire.MaxPacket)
	return s
}

// ciphers are what DTLS may use, what it should first. ChaCha20 needs no nonce in each record (RFC 7905), so that a packet is 8 bytes
// shorter than with AES-GCM, and is faster on boards whose processor has no AES.
var ciphers = []dtls.CipherSuiteID{
	dtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
}

// listens reports whether the other end may connect to us over TCP.
func (cfg Config) listens() bool { return cfg.Listener != nil && !cfg.RelayOnly }

func (cfg Config) mdns() ice.MulticastDNSMode {
	if cfg.NoMDNS || cfg.RelayOnly {
		return ice.MulticastDNSModeDisabled
	}
	return ice.MulticastDNSModeQueryOnly
}

func (cfg Config) networks() []webrtc.NetworkType {
	udp := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	tcp := []webrtc.NetworkType{webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6}
	switch {
	case cfg.RelayOnly, !cfg.DialTCP && !cfg.listens():
		return udp
	case cfg.NoUDP:
		return tcp
	default:
		return append(udp, tcp...)
	}
}

// apiWith is pion's, without the media that we have none of.
func apiWith(s webrtc.SettingEngine) *webrtc.API {
	return webrtc.NewAPI(
		webrtc.WithSettingEngine(s),
		webrtc.WithMediaEngine(&webrtc.MediaEngine{}),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
	)
}

func (cfg Config) connection(relays *relayDialer) webrtc.Configuration {
	c := webrtc.Configuration{ICEServers: relays.iceServers()}
	if cfg.RelayOnly {
		c.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	return c
}
