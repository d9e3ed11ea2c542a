// Package nat puts device and viewer behind every kind of router that the laboratory has, each with each, and looks on which
// rung they end up, how soon, and whether an event was lost or repeated on the way. `make test` runs some of the pairs for a
// few seconds, `make soak` all of them for half a minute each and writes the table in docs/nat.md.
package nat

import (
	"github.com/telepath-iot/telepath/e2e/lab"
)

// Pair is what stands before each end.
type Pair struct{ Device, Viewer lab.Kind }

func (p Pair) String() string { return string(p.Device) + " – " + string(p.Viewer) }

// Pairs are all of them, device by device.
func Pairs() (all []Pair) {
	for _, device := range lab.Kinds {
		for _, viewer := range lab.Kinds {
			all = append(all, Pair{device, viewer})
		}
	}
	return all
}

// Expected is the rung that the viewer must end up on. It is that of the viewer's own hop, where there is one to a TURN server.
func (p Pair) Expected() string {
	switch {
	case p.meet():
		return "udp"
	case passesUDP(p.Viewer):
		return "turn-udp"
	default:
		return "turn-tcp" // also through a proxy: TURN over TCP passes a CONNECT like anything else
	}
}

// meet: whether datagrams can go from end to end (RFC 5128, section 3.3; that the laboratory's NATs are so is what
// TestPunch of package lab shows). Both must let UDP pass. Then one end has to know where to send to, and the other one has to let it
// in: a symmetric NAT has another port for every destination, which nobody can be told beforehand, so the other end must take
// what comes from a port that it has never sent to.
func (p Pair) meet() bool {
	if !passesUDP(p.Device) || !passesUDP(p.Viewer) {
		return false
	}
	unknownPort := p.Device == lab.Symmetric && strict(p.Viewer) || p.Viewer == lab.Symmetric && strict(p.Device)
	return !unknownPort
}

func passesUDP(k lab.Kind) bool {
	return k == lab.Open || k == lab.FullCone || k == lab.PortRestricted || k == lab.Symmetric
}

// strict: it lets in only addresses and ports that were sent to.
func strict(k lab.Kind) bool { return k == lab.PortRestricted || k == lab.Symmetric }

// Shown are the pairs of `make test` for one who watches: in a terminal both ends alike, and those in which the two sides ask for
// different things; in a browser, which takes half the machine while it starts, one for each way that it can end up on, and the
// proxy. `make soak` has all of them.
func Shown(viewer string) (some []Pair) {
	if viewer == "Chromium" {
		return []Pair{{lab.PortRestricted, lab.PortRestricted}, {lab.Symmetric, lab.Symmetric}, {lab.Only443, lab.Only443}, {lab.OnlyProxy, lab.OnlyProxy}}
	}
	for _, kind := range lab.Kinds {
		some = append(some, Pair{kind, kind})
	}
	return append(some,
		Pair{lab.Symmetric, lab.Open},
		Pair{lab.FullCone, lab.Symmetric},
		Pair{lab.PortRestricted, lab.Symmetric},
		Pair{lab.Symmetric, lab.PortRestricted},
		Pair{lab.UDPBlocked, lab.Open},
		Pair{lab.PortRestricted, lab.UDPBlocked},
		Pair{lab.OnlyProxy, lab.Symmetric},
	)
}
