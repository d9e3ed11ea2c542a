package peer

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// hop watches the way to the server while the link is on data channels. A
// WebSocket that breaks says so, mostly; what drops UDP never does, so it is
// found out as on any path of a Conn (docs/protocol.md, section 7.2): by probes
// into the silence, and a doubt that knows the round trip.
type hop struct {
	ladder *ladder.Ladder
	probes []sentProbe // without legs
}

// hopID is the one carrier on a hop's ladder.
const hopID = 1

func newHop(now time.Duration, rung ladder.Rung) *hop {
	h := &hop{ladder: ladder.New(ladder.Config{})}
	h.ladder.Up(now, hopID, rung)
	h.ladder.Proved(now, hopID, 0) // the server has let us in
	return h
}

// heard takes whatever came from the server.
func (h *hop) heard(now time.Duration) { h.ladder.Heard(now, hopID) }

// probed notes a probe of that number.
func (h *hop) probed(now time.Duration, id uint64) {
	if len(h.probes) == maxProbes {
		h.probes = slices.Delete(h.probes, 0, 1)
	}
	h.probes = append(h.probes, sentProbe{id: id, at: now})
	h.ladder.Probed(now, hopID)
}

// echoed takes the server's answer to a probe.
func (h *hop) echoed(now time.Duration, echo wire.Echo) {
	i := slices.IndexFunc(h.probes, func(s sentProbe) bool { return s.id == echo.ID })
	if i >= 0 {
		h.ladder.Proved(now, hopID, roundTrip(now-h.probes[i].at, echo))
		h.probes = slices.Delete(h.probes, i, i+1)
	}
}

// step says whether a probe is due, whether the way is in doubt, and when to ask
// again. carries: somebody waits for what the link carries; else it is only kept ready.
func (h *hop) step(now time.Duration, carries bool) (probe, doubt bool, wake time.Duration) {
	h.ladder.Rest(!carries)
	d := h.ladder.Step(now)
	return len(d.Probe) > 0, h.ladder.State(hopID).InDoubt, d.Wake
}
