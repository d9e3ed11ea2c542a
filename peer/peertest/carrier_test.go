package peertest

import (
	"testing"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/carriertest"
)

func TestContract(t *testing.T) {
	for name, cfg := range map[string]Config{"channels": {}, "stream": {Stream: true}} {
		t.Run(name, func(t *testing.T) {
			carriertest.Run(t, carriertest.Harness{Codes: true, Connect: func(*testing.T) (carrier.Carrier, carrier.Carrier) {
				a, b, _ := Pair(cfg)
				return a, b
			}})
		})
	}
}
