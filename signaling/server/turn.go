package server

import (
	"context"
	"net"

	"github.com/telepath-iot/telepath/signaling/port"
	"github.com/telepath-iot/telepath/signaling/turn"
)

// openTURN makes the TURN server that the configuration asks for, or notes
// where an external one is.
func (s *Server) openTURN() (err error) {
	switch {
	case len(s.cfg.TURNServers) > 0:
		external, err := turn.NewExternal(s.cfg.TURNServers, s.cfg.TURNSecret)
		if err == nil {
			s.servers = external
		}
		return err
	case s.cfg.NoTURN:
		return nil
	}
	cfg := turn.Config{
		Secret:    s.auth.TURNSecret(),
		Listeners: []net.Listener{s.tcp.Listener(port.TURN)},
		Addresses: s.Announced(),
		URLs:      s.turnWays(),
		Log:       s.cfg.Log,
	}
	if s.udp != nil {
		cfg.PacketConns = []net.PacketConn{s.udp.PacketConn(port.TURN)}
	}
	s.turn, err = turn.New(cfg)
	s.servers = s.turn
	return err
}

// turnWays are where clients find TURN. Behind a reverse proxy they have reached
// that one, which passes HTTP alone.
func (s *Server) turnWays() turn.Ways {
	ways := turn.Ways{UDP: int(s.UDPPort()), TCP: s.tcpAddr().Port, TLS: s.tls != nil}
	if len(s.proxies) == 0 {
		ways.Own = ways.TCP
	}
	return ways
}

func (s *Server) runTURN(ctx context.Context) error {
	if s.turn == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.turn.Run(ctx)
}
