package netcheck

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/tunnel"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
)

// survey is one run: where to, and what its steps have found for those after
// them. A step writes what is its own before it is over, and others read it
// behind that.
type survey struct {
	// set once
	cfg    Config
	url    *url.URL // of the server, without a slash at its end
	host   string
	port   string
	way    *peer.Way
	tunnel *tunnel.Dialer // of way: one for all, which tries a password once
	proxy  *url.URL       // nil: none

	addresses []netip.Addr         // of dns
	tcp6      Check                // of tcp6
	handshake Check                // of stepHandshake
	shown     *tls.ConnectionState // of stepHandshake; nil: there was no TLS

	intercepted *carrier.Failure // of tls; nil: not, or not known

	socket   net.PacketConn // of udp and mapping; nil: not opened
	mappings []mapping      // that were seen of it

	mu     sync.Mutex
	links  map[ladder.Rung]*link // those that are open
	ownKey []byte                // hash of the server's public key, as it says itself; nil: not known
	times  []Offset              // measurements of the server's clock

	greeted bool            // the server said something on a link, as what follows
	device  bool            // it takes us for a device
	udp     *uint16         // its port for STUN and TURN; nil: it did not say
	servers []signal.Server // its TURN servers; nil: it did not say
}

func newSurvey(cfg Config) (*survey, error) {
	way, err := peer.NewWay(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.Endpoint.URL)
	if err != nil {
		return nil, fmt.Errorf("server URL: %w", err)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	s := &survey{
		cfg: cfg, way: way, tunnel: way.Tunnel(), url: u, host: u.Hostname(), port: u.Port(), links: map[ladder.Rung]*link{},
	}
	if s.port == "" {
		s.port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	s.proxy, err = s.tunnel.ProxyFor(s.address())
	return s, err
}

func (s *survey) address() string { return net.JoinHostPort(s.host, s.port) }

func (s *survey) secure() bool { return s.url.Scheme == "https" }

// tlsConfig is that of the endpoint, for a protocol of TLS's choice.
func (s *survey) tlsConfig(protocols ...string) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.cfg.Endpoint.TLS != nil {
		cfg = s.cfg.Endpoint.TLS.Clone()
	}
	cfg.NextProtos = protocols
	return cfg
}

// transport speaks only the given versions of HTTP.
func (s *survey) transport(http1, http2 bool) *http.Transport {
	var versions http.Protocols
	versions.SetHTTP1(http1)
	versions.SetHTTP2(http2)
	return &http.Transport{
		DialContext: s.tunnel.DialContext, TLSClientConfig: s.tlsConfig(), Protocols: &versions, DisableCompression: true,
	}
}
