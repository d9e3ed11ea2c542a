package turn

import "sync/atomic"

// Drop is why a packet between two relayed addresses was not handed over.
type Drop int

// The reasons.
const (
	NoPeer     Drop = iota // sent to what is no relayed address of the same session
	QueueFull              // its receiver's client reads too slowly
	OverBudget             // its sender sends more than an allocation may
	TooLong
	drops // how many
)

// String is the reason in metrics.
func (d Drop) String() string { return [...]string{"no-peer", "queue-full", "budget", "too-long"}[d] }

// Refusal is why a request, a frame or a connection was refused.
type Refusal int

// The reasons.
const (
	Unanswered   Refusal = iota // without an answer: unauthenticated addresses get no more than they send
	Malformed                   // neither STUN nor ChannelData
	NotAllocated                // from a client without an allocation, for which it needs one
	WrongUser                   // no credentials of ours
	WrongMAC                    // the password is not that of the name
	Expired
	Revoked
	OverQuota // more allocations than the session may have
	Full      // more allocations than there may be
	Peer      // a peer that is no relayed address of the same session
	Transport // TCP allocations (RFC 6062)
	Crowded   // more connections than there may be
	Idle      // a connection without an allocation, or silent for too long
	refusals  // how many
)

// String is the reason in metrics.
func (r Refusal) String() string {
	return [...]string{
		"unanswered", "malformed", "not-allocated", "wrong-user", "wrong-mac", "expired", "revoked", "over-quota", "full",
		"peer", "transport", "crowded", "idle",
	}[r]
}

// Counts are what a Server counts; read them at any time.
type Counts struct {
	Packets atomic.Uint64 // handed over between relayed addresses
	Bytes   atomic.Uint64 // of their payload
	Drops   [drops]atomic.Uint64
	Refused [refusals]atomic.Uint64
}

func (c *Counts) refuse(why Refusal) { c.Refused[why].Add(1) }
