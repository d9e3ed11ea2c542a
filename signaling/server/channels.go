package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/signaling/port"
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

// listenChannels makes the server's end of data channels, which come in at the
// ports' sides for ICE.
func (s *Server) listenChannels() error {
	cfg := rtc.HostConfig{TCP: provingListener{s.tcp.Listener(port.ICE)}, Log: s.cfg.Log}
	if s.udp != nil {
		cfg.UDP = s.udp.PacketConn(port.ICE)
	}
	host, err := rtc.NewHost(cfg)
	if err != nil {
		return fmt.Errorf("listen for data channels: %w", err)
	}
	s.channels.host = host
	s.channels.life, s.channels.stop = context.WithCancel(context.Background())
	return nil
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

// reachedAt are the addresses at which the client that sends a request may
// reach this server, the likeliest first: those that are announced, and the one
// that it has reached, unless that is only where something before us reaches us.
func (s *Server) reachedAt(r *http.Request) []netip.Addr {
	at := s.Announced()
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return at
	}
	reached := plain(local.AddrPort().Addr())
	if len(s.cfg.Announce) > 0 && !reached.IsLoopback() {
		return at
	}
	at = slices.DeleteFunc(slices.Clone(at), func(a netip.Addr) bool { return a == reached })
	return slices.Insert(at, 0, reached)
}

func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}
