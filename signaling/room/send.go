package room

import (
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/relay"
)

// Tell sends a signal on a link, with a conn number unless that is 0. A link
// that takes no more signals is closed: nothing else would make it right again.
func Tell(to Link, conn uint64, m signal.Message) {
	body, err := m.Append(nil)
	if err != nil { // strings, numbers and JSON that was parsed always encode
		to.Close(wire.CodeByName("internal"), err.Error())
		return
	}
	tellBody(to, conn, body)
}

func tellBody(to Link, conn uint64, body []byte) {
	hop := wire.Hop{Conn: conn, Priority: wire.High}
	deliver(to, relay.Label{Class: wire.Signal}.Build(wire.TypeSignal, hop, body))
}

func deliver(to Link, f carrier.Frame) {
	if !to.Send(f) && f.Class == wire.Signal && !f.Control {
		to.Close(wire.CodeByName("timeout"), "signals are not being read")
	}
}
