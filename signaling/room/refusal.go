package room

import (
	"fmt"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Refusal is a no with a name, a reason and a remedy (I8).
type Refusal struct {
	Code       string // of wire.Codes
	Reason     string // what happened
	Remedy     string // what to do
	Candidates []signal.Device

	// Soft: worth telling the sender, not worth ending its link if it goes on.
	Soft bool
	// Final: its link cannot go on at all.
	Final bool
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Reason }

// Message is the refusal as a signal: `refuse` for a link, `refused` for a Conn.
func (r *Refusal) Message(kind string) signal.Message {
	return signal.Message{Type: kind, Code: r.Code, Reason: r.Reason, Remedy: r.Remedy, Candidates: r.Candidates}
}

// malformed is the refusal of something that breaks the protocol.
func malformed(format string, args ...any) *Refusal {
	return &Refusal{
		Code:   "malformed",
		Reason: fmt.Sprintf(format, args...),
		Remedy: "see docs/protocol.md; an older or newer program than the server's may be the cause",
	}
}

// WireCode is the code of the refusal.
func (r *Refusal) WireCode() wire.Code { return wire.CodeByName(r.Code) }

func tooLarge(what string, size, limit int) *Refusal {
	return &Refusal{
		Code:   "too-large",
		Reason: fmt.Sprintf("%s of %d bytes, more than %d", what, size, limit),
		Remedy: "send it in smaller parts",
	}
}
