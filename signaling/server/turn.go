package server

import (
	"context"
	"net"

	"github.com/telepath-iot/telepath/signaling/port"
	"github.com/telepath-iot/telepath/signaling/turn"
)

// openTURN makes the TURN server that the configuration asks for, or notes
// where an external one is. STUN is answered in any case: without it, two ends
// behind NATs would not know their addresses, and never meet.
func (s *Server) openTURN() (err error) {
	cfg := turn.Config{
		Secret:    s.auth.TURNSecret(),
		Addresses: s.Announced(),
		URLs:      s.turnWays(),
		OnlySTUN:  s.onlySTUN(),
		Limits:    turn.Limits{Connections: turnConnections(s.cfg.Limits.Connections)},
		Log:       s.cfg.Log,
	}
	if !cfg.OnlySTUN {
		cfg.Listeners = []net.Listener{provingListener{s.tcp.Listener(port.TURN)}}
	}
	if s.udp != nil {
		cfg.PacketConns = []net.PacketConn{s.udp.PacketConn(port.TURN)}
	}
	if s.turn, err = turn.New(cfg); err != nil {
		return err
	}
	switch {
	case len(s.cfg.TURNServers) > 0:
		s.servers, err = turn.NewExternal(s.cfg.TURNServers, s.cfg.TURNSecret)
	case !s.cfg.NoTURN:
		s.servers = s.turn
	}
	return err
}

// turnConnections is how many of a server's connections may be TURN's: half of them, for those that have an allocation go for no
// other, and where links need no token anybody may have one.
func turnConnections(all int) int { return max(1, min(all/2, 4096)) }

// onlySTUN: TURN is another server's business, or nobody's.
func (s *Server) onlySTUN() bool { return len(s.cfg.TURNServers) > 0 || s.cfg.NoTURN }

// turnWays are where clients find TURN. Behind a reverse proxy they have reached
// that one, which passes HTTP alone, unless it passes TCP on as it is.
func (s *Server) turnWays() turn.Ways {
	ways := turn.Ways{UDP: int(s.UDPPort()), TCP: s.tcpAddr().Port, TLS: s.tls != nil}
	if len(s.proxies) == 0 || s.cfg.ProxyProtocol {
		ways.Own = ways.TCP
	}
	return ways
}

func (s *Server) runTURN(ctx context.Context) error {
	return s.turn.Run(ctx)
}
