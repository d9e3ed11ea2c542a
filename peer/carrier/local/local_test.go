package local

import (
	"testing"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/carriertest"
)

func TestContract(t *testing.T) {
	carriertest.Run(t, carriertest.Harness{Codes: true, Connect: func(*testing.T) (carrier.Carrier, carrier.Carrier) {
		return Pair(carrier.Limits{})
	}})
}
