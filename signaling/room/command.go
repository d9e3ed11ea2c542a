package room

import (
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// What belongs to commands (protocol, section 10) goes one way each.

// checkCommand says whether a viewer's frame may go on to the device. The device decides for itself; this only spares it those
// who may not command at all.
func (v *Viewer) checkCommand(f wire.Frame) (drop bool, refusal *Refusal) {
	switch f.Type {
	case wire.TypeTick, wire.TypeOutcome:
		return true, malformed("a frame of type %d does not come from a viewer", f.Type)
	case wire.TypeCommand, wire.TypeDrive:
		if !v.role.Includes(auth.Operator) {
			v.room.counters.Role.Add(1)
			return true, nil
		}
	}
	return false, checkCommandSize(f)
}

// checkAnswer is the same for a device's frame.
func checkAnswer(f wire.Frame) *Refusal {
	if f.Type == wire.TypeCommand || f.Type == wire.TypeDrive {
		return malformed("a frame of type %d does not come from a device", f.Type)
	}
	return checkCommandSize(f)
}

func checkCommandSize(f wire.Frame) *Refusal {
	switch limit := maxBody(f.Type); {
	case limit > 0 && len(f.Body) > limit:
		return tooLarge("command", len(f.Body), limit)
	}
	return nil
}

// maxBody is how long the body of what belongs to commands may be, in bytes; 0: it does not.
func maxBody(t wire.Type) int {
	switch t {
	case wire.TypeCommand, wire.TypeOutcome:
		return wire.MaxCommand
	case wire.TypeTick, wire.TypeDrive:
		return wire.MaxDrive
	}
	return 0
}
