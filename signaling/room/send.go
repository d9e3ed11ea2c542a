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
	deliver(to, frameOf(conn, body))
}

// mention is Tell for what a Conn's viewer causes at its device, whose link it must not
// be able to have closed: without room it is left out.
func mention(b *binding, m signal.Message) {
	if body, err := m.Append(nil); err == nil {
		f := frameOf(b.number, body)
		f.Source = b.source()
		b.session.link.Send(f)
	}
}

func frameOf(conn uint64, body []byte) carrier.Frame {
	hop := wire.Hop{Conn: conn, Priority: wire.High}
	return relay.Label{Class: wire.Signal}.Build(wire.TypeSignal, hop, body)
}

func deliver(to Link, f carrier.Frame) {
	if !to.Send(f) && f.Class == wire.Signal && !f.Control {
		to.Close(wire.CodeByName("timeout"), "signals are not being read")
	}
}

// pass sends on to a viewer what a device says. One that sends more than the link's
// end can read loses its own signals, which are repeated; it must not be able to
// have the link closed, which serves others too (I5).
func pass(to Link, f carrier.Frame) *Refusal {
	f.Yields = true
	return send(to, f)
}

// passToDevice is pass for what a viewer says. Whoever may command has room
// beside all those that may not.
func passToDevice(b *binding, f carrier.Frame) *Refusal {
	f.Source, f.Yields = b.source(), !b.conn.commands.Load()
	return send(b.session.link, f)
}

func send(to Link, f carrier.Frame) *Refusal {
	if to.Send(f) {
		return nil
	}
	return &Refusal{
		Code: "rate-limited", Reason: "the other end does not read that many signals", Soft: true,
		Remedy: "repeat it later",
	}
}
