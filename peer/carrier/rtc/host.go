package rtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// HostConfig says where a Host listens.
type HostConfig struct {
	// UDP and TCP are the Host's own until Close; nil: there is none. TCP's
	// Accept and UDP's ReadFrom must survive passing trouble: an error ends
	// them for good. The addresses are a *net.UDPAddr and a *net.TCPAddr.
	UDP net.PacketConn
	TCP net.Listener

	// Log gets pion's words at debug level. Default: nobody.
	Log *slog.Logger
}

// Host makes the server's end of connections, the rungs `relay-udp` and
// `relay-tcp`: all of them on one UDP port and one TCP port (RFC 6544), told
// apart by the user names of ICE. It is ICE-lite (RFC 8445, section 2.5): it never
// sends to an address before somebody has proved from there that it knows the
// password of this answer, and it takes no candidates from anybody.
type Host struct {
	cfg  Config
	api  *webrtc.API
	ip6  bool
	udp  ice.UDPMux // nil: none
	tcp  ice.TCPMux // nil: none
	port struct{ udp, tcp int }
}

// NewHost begins to listen. Close ends it.
func NewHost(cfg HostConfig) (*Host, error) {
	h := &Host{cfg: Config{Log: cfg.Log, NoMDNS: true, IncludeLoopback: true, server: true}.orDefault()}
	if err := h.listen(cfg); err != nil {
		h.Close()
		return nil, err
	}
	s := h.cfg.settings(nil) // it has no TURN server
	s.SetLite(true)
	s.SetNet(singleNet(h.ip6))
	s.SetNetworkTypes(h.networks())
	if h.udp != nil {
		s.SetICEUDPMux(h.udp)
	}
	if h.tcp != nil {
		s.SetICETCPMux(h.tcp)
	}
	h.api = apiWith(s)
	return h, nil
}

func (h *Host) listen(cfg HostConfig) error {
	log := logFactory{h.cfg.Log}.NewLogger("mux")
	if cfg.UDP != nil {
		at, ok := cfg.UDP.LocalAddr().(*net.UDPAddr)
		if !ok {
			return fmt.Errorf("listen for data channels: %T is no UDP address", cfg.UDP.LocalAddr())
		}
		h.port.udp, h.ip6 = at.Port, at.IP.To4() == nil
		h.udp = newUDPMux(cfg.UDP, at, h.ip6, log)
	}
	if cfg.TCP != nil {
		at, ok := cfg.TCP.Addr().(*net.TCPAddr)
		if !ok {
			return fmt.Errorf("listen for data channels: %T is no TCP address", cfg.TCP.Addr())
		}
		h.port.tcp = at.Port
		h.ip6 = h.ip6 || at.IP.To4() == nil
		h.tcp = newTCPMux(cfg.TCP, at.Port, log)
	}
	return nil
}

// networks are the kinds of candidates that the agents have: those of a mux
// that is not there would be sockets of their own.
func (h *Host) networks() (types []webrtc.NetworkType) {
	if h.udp != nil {
		types = append(types, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6)
	}
	if h.tcp != nil {
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	return types
}

// errNoAddress is why there is no answer.
var errNoAddress = errors.New("the server has no address to offer")

// Answer takes a client's offer and returns the server's end of a connection,
// to be run, and its description: complete, with candidates at each of the
// addresses at which this client may reach the server. The description is the
// client's mistake if there is an error.
func (h *Host) Answer(offer string, at []netip.Addr) (*Peer, string, error) {
	candidates := h.candidates(at)
	if len(candidates) == 0 {
		return nil, "", errNoAddress
	}
	p, err := unconnected(h.cfg, Events{}).connect(h.api)
	if err != nil {
		return nil, "", err
	}
	answer, err := p.Answer(offer)
	if err != nil {
		p.shut()
		return nil, "", err
	}
	return p, withCandidates(answer, candidates), nil
}

// Close ends all connections and both ports.
func (h *Host) Close() error {
	var errs []error
	if h.udp != nil {
		errs = append(errs, h.udp.Close())
	}
	if h.tcp != nil {
		errs = append(errs, h.tcp.Close())
	}
	return errors.Join(errs...)
}
