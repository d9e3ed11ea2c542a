// Package server is telepath's signaling server put together: one listener
// for links, login and the dashboard, and another for those who run it.
//
//	GET  /v1/link          a link (docs/protocol.md, section 6.1)
//	     /v1/link/sse, …   links over plain requests (section 6.7)
//	POST /v1/link/rtc      an offer of a link over data channels (section 6.10)
//	POST /v1/login         a login code or token for a session
//	POST /v1/login-codes   a new login URL (admin)
//	GET  /v1/devices       presence as JSON (viewer)
//	DELETE /v1/devices/ID  forget a device that is offline (admin)
//	GET  /v1/devices/NAME/latest   what is retained of it (viewer; section 8)
//	POST /v1/devices/NAME/samples  publish under its name (device)
//	GET  /healthz, /readyz
//	GET  /                 the dashboard
//	GET  /metrics          on the admin listener only
//
// A request passes these gates in this order, the cheap ones first (I9):
// connections per address and in all, time and size of headers, Host, rate,
// Origin, token. What fails is answered with a code, a reason and a remedy.
//
// In here are HTTP, WebSocket upgrades and limits. Who is here and who gets
// what is package room's; what may be done with which token is package auth's.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/web"
	"github.com/telepath-iot/telepath/peer/folder"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/bus"
	"github.com/telepath-iot/telepath/signaling/cert"
	"github.com/telepath-iot/telepath/signaling/cluster"
	"github.com/telepath-iot/telepath/signaling/port"
	"github.com/telepath-iot/telepath/signaling/rest"
	"github.com/telepath-iot/telepath/signaling/room"
	"github.com/telepath-iot/telepath/signaling/turn"
)

// Config of a Server.
type Config struct {
	Listen string // address of links and dashboard; default ":8080"
	UDP    string // address of datagrams; default: that of Listen; "none": no datagrams
	Admin  string // address of /metrics; empty: none
	Data   string // folder for tokens, keys and the registry; required
	NATS   string // URL of an external NATS; empty: one inside the process

	TLSSelf       bool   // make and use a certificate of our own, kept in Data
	TLSCert       string // PEM files of another
	TLSKey        string
	ACME          []string      // names to get certificates for from an authority
	ACMEDirectory string        // URL of that authority\'s directory; default: that of Let\'s Encrypt
	acmeEvery     time.Duration // tests look more often whether a certificate was renewed

	Announce      []netip.Addr   // addresses at which others reach the ports; default: see Announced
	AllowHost     []string       // names this server is reached by, beside its own; NAME or NAME:PORT
	TrustProxy    []netip.Prefix // networks whose proxies say whom a request is from; default: none
	ProxyProtocol bool           // connections from there begin with a PROXY header, version 1 or 2
	PathPrefix    string         // under which a proxy serves us; "/telepath"; requests without are served too

	NoTURN      bool     // no TURN server inside the process; default: one on Listen's port
	TURNServers []string // URLs of an external one that takes credentials of TURNSecret; then there is none inside
	TURNSecret  string

	OpenRole auth.Role // whoever comes without a token has it: viewer, operator or empty

	Dashboard fs.FS  // built web files; nil: none
	Name      string // this server's name; default: the machine's
	Limits    Limits // default: DefaultLimits

	Log *slog.Logger // default: discards
}

// Server is a signaling server.
type Server struct {
	cfg      Config
	lock     *folder.Lock // of the data folder
	auth     *auth.Auth
	hosts    *hosts
	proxies  proxies
	gate     *gate
	listener net.Listener   // on Listen
	headers  *proxyListener // of connections through proxies that send one; nil: none
	tcp      *port.TCP      // shares listener among HTTP and others
	udp      *port.UDP      // nil: none
	admin    net.Listener   // nil: none
	tls      *tls.Config    // nil: none
	certs    certificates   // nil: none
	ready    atomic.Bool
	started  chan struct{} // closed when ready for the first time
	turn     *turn.Server  // nil: none inside the process
	servers  room.TURN     // nil: there is no TURN server
	room     *room.Room    // set by Run before anything is served, as rest
	rest     *rest.Rest
	clients  clients

	maxQueued int // bytes that may wait for all of them

	web      *web.Server // links over HTTP
	channels channels    // links over data channels
	counts   counts
}

// New opens the secrets and the listeners of a server, which Run then serves.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, gate: newGate(cfg.Limits, cfg.TrustProxy), proxies: cfg.TrustProxy, started: make(chan struct{}), maxQueued: maxQueued}
	s.hosts = newHosts(slices.Concat(cfg.AllowHost, cfg.ACME))
	s.web = s.newWeb()
	if err := s.open(); err != nil {
		s.lock.Release()
		return nil, err
	}
	return s, nil
}

func (s *Server) open() (err error) {
	if s.lock, err = openFolder(s.cfg.Data); err != nil {
		return err
	}
	if s.auth, err = auth.Open(s.cfg.Data); err != nil {
		return err
	}
	if err = s.openCertificates(); err != nil {
		return err
	}
	if err = s.listen(); err != nil {
		return err
	}
	if err = s.openTURN(); err != nil {
		s.closeSockets()
	}
	return err
}

func (cfg *Config) complete() error {
	if cfg.Data == "" {
		return errors.New("no data folder: give one with --data DIR")
	}
	switch cfg.OpenRole {
	case "", auth.Viewer, auth.Operator:
	default:
		return fmt.Errorf("open role %q: give viewer or operator", cfg.OpenRole)
	}
	if cfg.ProxyProtocol && len(cfg.TrustProxy) == 0 {
		return errors.New("the PROXY protocol is for trusted proxies: name their networks too")
	}
	var err error
	if cfg.ACME, err = cert.ParseNames(cfg.ACME); err != nil {
		return err
	}
	if cfg.PathPrefix, err = CleanPrefix(cfg.PathPrefix); err != nil {
		return err
	}
	if cfg.Listen == "" {
		cfg.Listen = ":8080"
	}
	if cfg.Name == "" {
		cfg.Name, _ = os.Hostname()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Limits = cfg.Limits.orDefault()
	return nil
}

// Addr is where links and the dashboard are served.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// AdminAddr is where metrics are served, nil if nowhere.
func (s *Server) AdminAddr() net.Addr {
	if s.admin == nil {
		return nil
	}
	return s.admin.Addr()
}

// Ready is closed as soon as the server serves.
func (s *Server) Ready() <-chan struct{} { return s.started }

// Run serves until ctx ends and the links are drained. It closes what New opened.
func (s *Server) Run(ctx context.Context) error {
	defer s.lock.Release()
	defer s.closeSockets()
	b, err := s.openBus(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	id, err := serverID(s.cfg.Data)
	if err != nil {
		return err
	}
	records, err := s.loadRecords(ctx, b, id)
	if err != nil {
		return err
	}
	cfg := room.Config{ID: id, Name: s.cfg.Name, Store: b, TURN: s.servers, Log: s.cfg.Log}
	if s.cfg.NATS == "" {
		s.room = room.New(cfg, records)
		return s.serve(ctx, s.room.Run, s.runTURN)
	}
	joined := cluster.New(b, id, s.cfg.Log)
	cfg.Peers = joined
	s.room = room.New(cfg, records)
	return s.serve(ctx, s.room.Run, s.runTURN, func(ctx context.Context) error { return joined.Run(ctx, s.room) })
}

func (s *Server) openBus(ctx context.Context) (bus.Bus, error) {
	if s.cfg.NATS != "" {
		return bus.Connect(ctx, s.cfg.NATS, s.cfg.Log)
	}
	return bus.Embedded(ctx, filepath.Join(s.cfg.Data, "nats"), s.cfg.Log)
}

// loadRecords reads what is kept of devices. One that cannot be read is
// reported and left: the device comes back by itself.
func (s *Server) loadRecords(ctx context.Context, b bus.Bus, id string) ([]room.Record, error) {
	values, err := b.All(ctx)
	if err != nil {
		return nil, err
	}
	var records []room.Record
	for device, value := range values {
		rec, err := room.ParseRecord(value)
		if err != nil || rec.ID != device {
			s.cfg.Log.Warn("a stored device is left out", "device", device, "err", err)
			continue
		}
		if s.cfg.NATS == "" || rec.Server == id { // those of other servers are learned from them
			records = append(records, rec)
		}
	}
	return records, nil
}

// Times of an HTTP connection, until it is a link.
const (
	headerTime = 5 * time.Second // TLS handshake, and headers of a request
	bodyTime   = 10 * time.Second
	writeTime  = 30 * time.Second
	idleTime   = 60 * time.Second
	maxHeader  = 24 << 10 // bytes; an open has 4 KiB, a token and a browser's own some more
)

// http2Limits bound what a connection of HTTP/2 may hold: requests at once,
// and bytes of bodies that nobody has read yet. (WebSockets are not made there:
// their clients ask for HTTP/1.1.)
func http2Limits() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          64,        // a page's files, and the requests of a link, nine at most, for each of some tabs
		MaxReceiveBufferPerStream:     128 << 10, // a packet's body needs half of it
		MaxReceiveBufferPerConnection: 512 << 10,
	}
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
		HTTP2:             http2Limits(),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return withGated(withClientHello(ctx, conn), conn)
		},
	}
}
