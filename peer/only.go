package peer

import (
	"fmt"

	"github.com/telepath-iot/telepath/peer/ladder"
)

// ParseOnly reads names of rungs for Endpoint.Only.
func ParseOnly(names []string) (only []ladder.Rung, err error) {
	for _, name := range names {
		rung, ok := ladder.ParseRung(name)
		if !ok {
			return nil, fmt.Errorf("%.32q is not a rung: there are udp, turn-udp, relay-udp, tcp, turn-tcp, turn-tls, relay-tcp, ws, sse and poll", name)
		}
		only = append(only, rung)
	}
	return only, nil
}
