// Package turn is a TURN server (RFC 8656) that connects the two ends of a Conn
// and nothing else, and the credentials for it or for another one.
//
// Both ends of a Conn get credentials of one session. Each allocates a relayed
// address, and may send to the other addresses of its session. A relayed address
// is virtual: it looks like IP:NUMBER, but no socket is opened for it, and a packet
// to it is handed over in memory. So no range of ports has to be open, and
// nothing can be sent to anybody else, by construction.
//
//	viewer ── UDP, TCP or TLS ──┐  relayed address A ⇄ relayed address B  ┌── UDP, TCP or TLS ── device
//	                            └──────────── one session ───────────────┘
//
// The protocol itself is pion's. What is ours stands in front of it (I9): who may
// have an answer before anybody knows who he is (datagrams.go, ledger.go), frames of
// streams (frame.go), times and limits of connections (stream.go); and behind it:
// who is who (credentials.go), who may reach whom (table.go, relay.go).
//
// Not offered: TCP allocations (RFC 6062), DONT-FRAGMENT, mobility (RFC 8016).
package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/turn/v5"
)

// Config of a Server.
type Config struct {
	Secret      string           // of the credentials; required
	PacketConns []net.PacketConn // for clients over UDP; their addresses are *net.UDPAddr
	Listeners   []net.Listener   // for clients over TCP, or over TLS that was ended already

	// OnlySTUN answers Binding requests, from which clients behind a NAT learn their address, and lets nobody allocate.
	OnlySTUN bool

	Addresses []netip.Addr // of this server; relayed addresses have the first of each family; default: addresses that nobody has
	URLs      Ways         // what Servers tells
	Limits    Limits       // default: see there

	Log *slog.Logger // default: discards
}

// Limits of a Server.
type Limits struct {
	// Allocations in all; default 4096; one takes about 20 KiB. A network of clients may have twice as many as are left.
	Allocations int
	// PerSession is allocations of both ends; default 64. A browser makes one for each URL and each of its network
	// interfaces and families: 3 × 4, say, for one connection and as many for its successor, at either end.
	PerSession int
	// BytesPerSecond that a client may send through an allocation; default 4 MiB.
	BytesPerSecond int
	// Connections over TCP and TLS in all; default 4096.
	Connections int
}

func (l Limits) orDefault() Limits {
	set := func(v *int, fallback int) {
		if *v == 0 {
			*v = fallback
		}
	}
	set(&l.Allocations, 4096)
	set(&l.PerSession, 64)
	set(&l.BytesPerSecond, 4<<20)
	set(&l.Connections, 4096)
	l.Allocations = min(l.Allocations, numbers/2) // a free number is found by chance
	return l
}

// realm of the credentials; it is short since it goes to unauthenticated clients.
const realm = "telepath"

// Server is a TURN server. All methods are safe for concurrent use.
type Server struct {
	cfg         Config
	credentials credentials
	table       *table
	counts      *Counts
	connections atomic.Int64
}

// New makes a server, which Run then serves.
func New(cfg Config) (*Server, error) {
	if cfg.Secret == "" {
		return nil, errors.New("no secret for TURN credentials")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Limits = cfg.Limits.orDefault()
	counts := new(Counts)
	return &Server{
		cfg: cfg, credentials: credentials(cfg.Secret), counts: counts,
		table: newTable(cfg.Addresses, cfg.Limits, counts),
	}, nil
}

// Run serves until ctx ends. It closes the sockets and listeners of Config.
func (s *Server) Run(ctx context.Context) error {
	for _, conn := range s.cfg.PacketConns {
		defer conn.Close()
		all := newDatagrams(s, conn)
		err := s.serve(all.front, turn.ServerConfig{PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: all, RelayAddressGenerator: relays{s}, PermissionHandler: all.permit,
		}}})
		if err != nil {
			return fmt.Errorf("serve TURN over UDP: %w", err)
		}
	}
	for _, l := range s.cfg.Listeners {
		all := newStreams(s, l)
		defer all.end()
		err := s.serve(all.front, turn.ServerConfig{ListenerConfigs: []turn.ListenerConfig{{
			Listener: all, RelayAddressGenerator: relays{s}, PermissionHandler: all.permit,
		}}})
		if err != nil {
			return fmt.Errorf("serve TURN over TCP: %w", err)
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// serve lets pion speak with the clients of a front until its socket or listener fails.
func (s *Server) serve(f *front, cfg turn.ServerConfig) error {
	cfg.Realm = realm
	cfg.AuthHandler = s.authenticate
	cfg.QuotaHandler = s.mayAllocate
	cfg.EventHandler = turn.EventHandler{
		OnAuth:              s.authenticated,
		OnAllocationCreated: f.created,
		OnChannelCreated: func(_, _ net.Addr, _, _, _ string, relayed, _ net.Addr, _ uint16) {
			s.table.channels(addrPort(relayed), 1)
		},
		OnChannelDeleted: func(_, _ net.Addr, _, _, _ string, relayed, _ net.Addr, _ uint16) {
			s.table.channels(addrPort(relayed), -1)
		},
	}
	// Who does not ask for a family gets IPv4 (RFC 8656, section 7.1), though it comes over IPv6: two ends
	// whose relayed addresses are of different families would not meet.
	cfg.StrictAddressFamily = true
	cfg.InboundMTU = pionBuffer
	cfg.LoggerFactory = logs{s.cfg.Log}
	_, err := turn.NewServer(cfg)
	return err
}

// pionBuffer is where pion reads to, in bytes; it drops what fills it.
const pionBuffer = maxFrame + 16

// enter counts a connection, unless there are as many as there may be.
func (s *Server) enter() bool {
	if s.connections.Add(1) > int64(s.cfg.Limits.Connections) {
		s.connections.Add(-1)
		return false
	}
	return true
}

func (s *Server) leave() { s.connections.Add(-1) }

// Credentials are for one end of a session, and let it allocate for lifetime.
// A session that was revoked is allowed again.
func (s *Server) Credentials(session string, lifetime time.Duration) (username, password string) {
	s.table.allow(session)
	return s.credentials.issue(session, time.Now().Add(lifetime))
}

// Revoke closes all allocations of a session at once, and makes its credentials worth nothing.
func (s *Server) Revoke(session string) { s.table.revoke(session) }

// Stats are a Server's counts, and what there is at the moment.
type Stats struct {
	*Counts
	Allocations int
	Sessions    int // that have allocations
	Connections int // over TCP and TLS
}

// Stats may be called at any time.
func (s *Server) Stats() Stats {
	allocations, sessions := s.table.size()
	return Stats{s.counts, allocations, sessions, int(s.connections.Load())}
}
