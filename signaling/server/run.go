package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/signaling/port"
)

// drainTime is how long a server that ends waits for its links to go.
const drainTime = 5 * time.Second

// serve runs the listeners and the parts, which know who is here, until ctx
// ends, then drains. The parts see the last links go.
func (s *Server) serve(ctx context.Context, parts ...func(context.Context) error) error {
	if err := s.listenChannels(); err != nil {
		return err
	}
	s.rest = s.newRest()
	stopRest := s.runRest()
	public := s.httpServer(s.encrypted(s.routes()))
	servers := []*http.Server{public}
	var running sync.WaitGroup
	failed := make(chan error, 4+len(parts)) // one for each listener, the certificates, the queues, and each part
	start := func(srv *http.Server, l net.Listener) {
		running.Go(func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	start(public, s.tcp.Listener(port.HTTP))
	s.runPorts(&running)
	if s.admin != nil {
		admin := s.httpServer(s.adminRoutes())
		servers = append(servers, admin)
		start(admin, s.admin)
	}
	partsCtx, stopParts := context.WithCancel(context.WithoutCancel(ctx))
	defer stopParts()
	if s.certs != nil {
		parts = append(parts, s.certs.Run)
	}
	for _, run := range append(parts, s.keepShedding) {
		running.Go(func() {
			if err := run(partsCtx); partsCtx.Err() == nil {
				failed <- err
			}
		})
	}

	s.ready.Store(true)
	close(s.started)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.drain(servers, stopRest)
	stopParts()
	s.channels.close()
	s.closeSockets()
	running.Wait()
	return err
}

// drain asks everybody to go elsewhere, waits for them, and stops.
func (s *Server) drain(servers []*http.Server, stopRest func()) {
	s.ready.Store(false)
	s.cfg.Log.Info("draining", "links", len(s.clients.all()))
	s.listener.Close()
	s.channels.stop()
	stopRest() // while those who watch its devices are still here
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	s.clients.drain(ctx)
	for _, srv := range servers {
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
	}
}
