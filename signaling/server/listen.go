package server

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/telepath-iot/telepath/peer/listen"
	"github.com/telepath-iot/telepath/signaling/port"
)

// NoUDP as an address says that no datagrams are served.
const NoUDP = "none"

// pairTries is how often a free port is looked for that is free for UDP as well.
const pairTries = 10

// listen opens all sockets.
func (s *Server) listen() error {
	if err := s.listenPair(); err != nil {
		return err
	}
	in := s.listener
	if s.cfg.ProxyProtocol {
		s.headers = newProxyListener(in, s.proxies, s.cfg.Log)
		in = s.headers
	}
	s.tcp = port.NewTCP(port.TCPConfig{Listener: s.gate.listener(in), TLS: s.tls, Log: s.cfg.Log})
	if s.cfg.Admin == "" {
		return nil
	}
	admin, err := net.Listen("tcp", s.cfg.Admin)
	if err != nil {
		s.closeSockets()
		return fmt.Errorf("listen for metrics: %w (choose another address with --admin)", err)
	}
	s.admin = listen.Persistent(admin, s.cfg.Log)
	return nil
}

// listenPair opens the TCP port, and the UDP port that belongs to it. It leaves TCP's own keep alive out (Go sets 15 s): whatever
// comes to the port has a time after which silence ends it, and a device that seldom says something would pay more for TCP's words than for its own.
func (s *Server) listenPair() error {
	config := net.ListenConfig{KeepAlive: -1}
	_, number, _ := net.SplitHostPort(s.cfg.Listen)
	for try := 1; ; try++ {
		l, err := config.Listen(context.Background(), "tcp", s.cfg.Listen)
		if err != nil {
			return fmt.Errorf("listen for links: %w (choose another address with --listen)", err)
		}
		s.listener = listen.Persistent(l, s.cfg.Log)
		if err = s.listenUDP(l.Addr().(*net.TCPAddr)); err == nil {
			return nil
		}
		l.Close()
		if number != "0" || s.cfg.UDP != "" || try == pairTries {
			return fmt.Errorf("listen for datagrams: %w (choose another address with --udp, or --udp none)", err)
		}
	}
}

// listenUDP opens the UDP port: the one of the same number unless told otherwise.
func (s *Server) listenUDP(tcp *net.TCPAddr) (err error) {
	addr := &net.UDPAddr{IP: tcp.IP, Port: tcp.Port, Zone: tcp.Zone}
	switch s.cfg.UDP {
	case NoUDP:
		return nil
	case "":
	default:
		if addr, err = net.ResolveUDPAddr("udp", s.cfg.UDP); err != nil {
			return err
		}
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		return err
	}
	s.udp = port.NewUDP(port.UDPConfig{Conn: conn, Log: s.cfg.Log})
	return nil
}

// runPorts takes what comes to the ports, until they are closed.
func (s *Server) runPorts(running *sync.WaitGroup) {
	if s.headers != nil {
		running.Go(s.headers.Run)
	}
	running.Go(func() {
		if err := s.tcp.Run(context.Background()); err != nil {
			s.cfg.Log.Error("no more connections are accepted", "err", err)
		}
	})
	if s.udp != nil {
		running.Go(func() { _ = s.udp.Run(context.Background()) }) // nil: it reads until it is closed
	}
}

// closeSockets closes the sockets; some may be closed already.
func (s *Server) closeSockets() {
	s.listener.Close()
	if s.udp != nil {
		s.udp.Close()
	}
	if s.admin != nil {
		s.admin.Close()
	}
}
