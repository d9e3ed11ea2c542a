// Package rpc is how a hand reaches a device: the words of Command and Outcome frames (docs/protocol.md, section 10), and the
// viewer's half of what becomes of them. It has no clock, no I/O and no goroutine: it is handed bytes and `now`.
package rpc

import "encoding/json"

// What a Command asks for (section 10.1).
const (
	Operate = "operate" // On: tell me ticks, the machine, and what becomes of commands
	Call    = "call"
	Cancel  = "cancel" // ID: of the call
	Ask     = "ask"    // ID: what became of that call?
	Seen    = "seen"   // ID: its end has arrived, say it no more
	Lease   = "lease"  // Do
	Stop    = "stop"
	Reset   = "reset"
)

// What Command.Do of a lease may be (section 10.3).
const (
	Take     = "take"     // it, when nobody has it; who has it by the same key has it again
	Request  = "request"  // it from who has it
	Renew    = "renew"    // before its TTL is over
	Release  = "release"  // it
	Give     = "give"     // it to To, who requested it
	Deny     = "deny"     // To
	TakeOver = "takeover" // it from whoever has it: an admin's right
)

// Command is what a viewer says. The members that its Type uses are set.
type Command struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"` // UUID: of the call; of this stop or reset or lease command, which an Outcome answers
	On   bool   `json:"on,omitempty"`

	// Epoch and By say until when it may be obeyed: by this tick (µs) of this run of the device's program. Of all but operate, seen, cancel, ask and stop.
	Epoch uint32 `json:"epoch,omitempty"`
	By    uint64 `json:"by,omitempty"`
	At    uint64 `json:"at,omitempty"` // of a reset: that of the newest Outcome of the stop that has come from this run; one that came later it does not end

	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Fence  uint64          `json:"fence,omitempty"` // of the lease, where the method needs it

	Do   string `json:"do,omitempty"`
	Key  string `json:"key,omitempty"`  // of who asks, told to this device alone, see KeyFor: makes a lease survive a reload
	Name string `json:"name,omitempty"` // what others are shown of who asks, 1 … 64 bytes
	To   string `json:"to,omitempty"`   // public id of who is given it, or denied
}

// State is how far a call is.
type State string

// The states of a call (section 10.2). The last five are ends.
const (
	Received State = "received" // journaled; runs when it may
	Running  State = "running"
	Done     State = "done"
	Failed   State = "failed"   // it ran, and says itself that it did not succeed
	Rejected State = "rejected" // it never ran
	Expired  State = "expired"  // it never ran: it was too late
	Unknown  State = "unknown"  // it began, and nobody knows whether it ended
)

// Ended says whether nothing comes behind it.
func (s State) Ended() bool {
	return s != Received && s != Running && s != Waiting && s != Sent && s != ""
}

// OutcomeMachine is the Type of an Outcome that has no Command of its name.
const OutcomeMachine = "machine"

// Outcome is what a device answers. The members that its Type uses are set: call, lease, stop, machine.
type Outcome struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"` // of the Command that it answers; absent: told unasked

	// Epoch and At are the device's tick at which it was so, of lease, stop and machine: they may overtake one another.
	Epoch uint32 `json:"epoch,omitempty"`
	At    uint64 `json:"at,omitempty"`

	// call
	State    State           `json:"state,omitempty"`
	Code     string          `json:"code,omitempty"`   // of a refusal: one of Code…
	Reason   string          `json:"reason,omitempty"` // why, for people
	Progress float64         `json:"progress,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	TookUS   uint64          `json:"took_us,omitempty"` // call: it ran so long; stop: until all actuators were safe

	// lease
	Fence  uint64     `json:"fence,omitempty"`
	Holder *Operator  `json:"holder,omitempty"` // nil: nobody
	Mine   bool       `json:"mine,omitempty"`   // who is told this has it
	TTLMS  uint64     `json:"ttl_ms,omitempty"` // from now
	Asks   []Operator `json:"asks,omitempty"`   // who requested it, in the order in which they did

	// stop, and machine
	Stopped bool   `json:"stopped,omitempty"` // latched
	By      string `json:"by,omitempty"`      // who did it
	Since   uint64 `json:"since,omitempty"`   // µs, the device's wall clock

	// machine
	Moving  bool     `json:"moving,omitempty"`  // setpoints are obeyed now; false: the actuators are safe
	Machine *Machine `json:"machine,omitempty"` // nil, and no Code: as it was
}

// Operator is who has a lease or wants it, as all may see.
type Operator struct {
	ID   string `json:"id"` // first 8 bytes of SHA-256(key), 16 hex digits
	Name string `json:"name"`
	Role string `json:"role,omitempty"`
}

// Machine describes what can be done with a device, and in which state it is.
type Machine struct {
	Name      string   `json:"name,omitempty"`
	Methods   []Method `json:"methods,omitempty"`
	Axes      []Axis   `json:"axes,omitempty"`
	DeadmanMS uint64   `json:"deadman_ms,omitempty"` // without a valid heartbeat for so long the actuators are made safe
	AgeMS     uint64   `json:"age_ms,omitempty"`     // a heartbeat whose tick is older is none
	Moving    bool     `json:"-"`                    // as Outcome.Moving told last
	Simulated bool     `json:"simulated,omitempty"`
}

// Method is what may be called.
type Method struct {
	Name    string          `json:"name"`
	Label   string          `json:"label,omitempty"`
	Help    string          `json:"help,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"` // JSON Schema of the parameters, an object; absent: none
	Result  json.RawMessage `json:"result,omitempty"` // JSON Schema
	Role    string          `json:"role,omitempty"`   // at least; default operator
	Rate    float64         `json:"rate,omitempty"`   // calls a second at most; 0: 10
	Lease   bool            `json:"lease,omitempty"`  // only for who holds it
	Danger  bool            `json:"danger,omitempty"` // a screen asks to type its name first
	LimitMS uint64          `json:"limit_ms,omitempty"`
}

// Axis is what a setpoint moves.
type Axis struct {
	ID      uint64  `json:"id"` // 1 … wire.MaxAxes
	Name    string  `json:"name"`
	Label   string  `json:"label,omitempty"`
	Unit    string  `json:"unit,omitempty"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Slew    float64 `json:"slew,omitempty"`   // units a second at most; 0: any
	Neutral float64 `json:"neutral"`          // where it is safe
	Stream  string  `json:"stream,omitempty"` // its applied value is published there
}

// Codes of refusals (section 10.6).
const (
	CodeRole       = "role" // the token is of a lesser role than it needs
	CodeNoMethod   = "no-method"
	CodeParams     = "params"   // they do not fit the schema
	CodeRate       = "rate"     // more often than the method allows
	CodeNoLease    = "no-lease" // who asks does not hold the lease, or another one by now
	CodeHeld       = "held"     // somebody else holds it
	CodeStopped    = "stopped"  // the stop is latched
	CodeStale      = "stale"    // of another run of the device's program
	CodeLate       = "late"     // past its deadline
	CodeBusy       = "busy"     // too many are waiting
	CodeJournal    = "journal"  // the disk did not take it
	CodeCancelled  = "cancelled"
	CodeNotOffered = "not-offered" // this device takes no commands
	CodeMalformed  = "malformed"
)
