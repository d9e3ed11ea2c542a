package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
)

// channels are what links over data channels have in common: the server's end
// of them, and who is about to open one.
type channels struct {
	host     *rtc.Host
	openings openings
	tasks    sync.WaitGroup  // one for each link
	life     context.Context // over when nothing may open any more
	stop     context.CancelFunc
}

// listenChannels makes the server's end of data channels.
func (s *Server) listenChannels() error {
	udp, tcp, err := s.iceSides()
	if err != nil {
		return err
	}
	host, err := rtc.NewHost(rtc.HostConfig{UDP: udp, TCP: tcp, Limits: limits(), Log: s.cfg.Log})
	if err != nil {
		return err
	}
	s.channels.host = host
	s.channels.life, s.channels.stop = context.WithCancel(context.Background())
	return nil
}

// socketBuffer is what the kernel may hold of datagrams while we are busy, in
// bytes; it may grant less. All clients share one socket.
const socketBuffer = 4 << 20

// iceSides are where ICE's packets come in: the UDP port of the same number as
// that of links, and none of TCP's.
func (s *Server) iceSides() (net.PacketConn, net.Listener, error) {
	at, ok := s.listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, nil, fmt.Errorf("listen for data channels: %T is no TCP address", s.listener.Addr())
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
	if err != nil {
		return nil, nil, fmt.Errorf("listen for data channels: %w", err)
	}
	_ = conn.SetReadBuffer(socketBuffer) // whatever it grants is good
	_ = conn.SetWriteBuffer(socketBuffer)
	return conn, nil, nil
}

// close ends all links over data channels, and waits for them.
func (c *channels) close() {
	if c.host == nil {
		return
	}
	c.stop()
	c.tasks.Wait()
	_ = c.host.Close() // its sockets may be closed already
}

// maxReached bounds the addresses that a client is told.
const maxReached = 8

// reachedAt are the addresses at which the client that sends a request may
// reach this server, the likeliest first: the one that it has reached.
func (s *Server) reachedAt(r *http.Request) (at []netip.Addr) {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		at = append(at, plain(local.AddrPort().Addr()))
	}
	listen, _ := s.listener.Addr().(*net.TCPAddr)
	if listen != nil && !listen.IP.IsUnspecified() {
		return at
	}
	for _, a := range interfaceAddrs() {
		if a.IsGlobalUnicast() && len(at) < maxReached && (len(at) == 0 || a != at[0]) {
			at = append(at, a)
		}
	}
	return at
}

func interfaceAddrs() (list []netip.Addr) {
	all, _ := net.InterfaceAddrs() // without the right to ask, the one that was reached has to do
	for _, a := range all {
		if ipnet, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(ipnet.IP); ok {
				list = append(list, addr.Unmap())
			}
		}
	}
	return list
}

func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}
