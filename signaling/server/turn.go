package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"

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
	udp, err := s.listenUDP()
	if err != nil {
		return err
	}
	port := portOf(s.listener.Addr())
	s.turn, err = turn.New(turn.Config{
		Secret:      s.auth.TURNSecret(),
		PacketConns: []net.PacketConn{udp},
		Addresses:   addresses(),
		URLs:        turn.Ways{UDP: portOf(udp.LocalAddr()), Port: port},
		Log:         s.cfg.Log,
	})
	s.servers = s.turn
	return err
}

func (s *Server) runTURN(ctx context.Context) error {
	if s.turn == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.turn.Run(ctx)
}

// listenUDP opens the UDP port of the same number as that of links.
func (s *Server) listenUDP() (net.PacketConn, error) {
	conn, err := net.ListenPacket("udp", s.listener.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("listen for UDP: %w (choose another address with --listen, or do without with --turn off)", err)
	}
	return conn, nil
}

func portOf(addr net.Addr) int {
	a, _ := netip.ParseAddrPort(addr.String())
	return int(a.Port())
}

// addresses of this machine's interfaces, at which others may reach it.
func addresses() (list []netip.Addr) {
	addrs, _ := net.InterfaceAddrs() // no rights to ask: there are none
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().IsGlobalUnicast() {
			list = append(list, prefix.Addr())
		}
	}
	return list
}
