package agent

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/listen"
)

// listenTCP listens for direct connections over TCP, on all addresses that
// this machine has or will have if at names none. nil: at is empty.
func listenTCP(at string, log *slog.Logger) (*rtc.Listener, error) {
	if at == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("listen for direct connections: %w", err)
	}
	return rtc.NewListener(listen.Persistent(l, log), log)
}
