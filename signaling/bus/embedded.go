package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Embedded starts a NATS server inside this process with its data in dir.
func Embedded(ctx context.Context, dir string, log *slog.Logger) (Bus, error) {
	ns, err := server.NewServer(&server.Options{
		ServerName:             "telepath",
		DontListen:             true, // no port: nobody but this process gets in
		JetStream:              true,
		StoreDir:               dir,
		SyncAlways:             true, // memory is never called stored
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the embedded NATS: %w", err)
	}
	ns.SetLoggerV2(logger{log}, false, false, false)
	ns.Start()
	stop := func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	}
	conn, err := connectInProcess(ns, log)
	if err != nil {
		stop()
		return nil, fmt.Errorf("start the embedded NATS in %s: %w (is another server using this folder, or is the disk full?)", dir, err)
	}
	return open(ctx, conn, log, stop)
}

func connectInProcess(ns *server.Server, log *slog.Logger) (*nats.Conn, error) {
	if !ns.ReadyForConnections(startTime) {
		return nil, errors.New("it is not ready after " + startTime.String())
	}
	return nats.Connect("", append(options(log), nats.InProcessServer(ns))...)
}

// logger passes on what is worth a line: NATS tells of its life at length.
type logger struct{ log *slog.Logger }

func (l logger) Noticef(string, ...any) {}
func (l logger) Debugf(string, ...any)  {}
func (l logger) Tracef(string, ...any)  {}
func (l logger) Warnf(format string, args ...any) {
	l.log.Debug("embedded NATS: " + fmt.Sprintf(format, args...))
}

func (l logger) Errorf(format string, args ...any) {
	l.log.Warn("embedded NATS: " + fmt.Sprintf(format, args...))
}

// Fatalf is called instead of ending the process.
func (l logger) Fatalf(format string, args ...any) {
	l.log.Error("embedded NATS: " + fmt.Sprintf(format, args...))
}

// redact takes the password out of a URL that goes into an error.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(an unreadable URL)"
	}
	return u.Redacted()
}
