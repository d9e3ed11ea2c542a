package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/telepath-iot/telepath/signaling/server"
)

// reloadOnHangup loads the certificate's files again at each SIGHUP, as who
// renews them expects it. Without files the signal ends the program, as ever.
func reloadOnHangup(ctx context.Context, s *server.Server) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			s.ReloadCertificates()
		}
	}
}
