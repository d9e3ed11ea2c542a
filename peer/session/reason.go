package session

// DropReason says why something was dropped; it is counted under this name
// (docs/protocol.md, section 5.3). Empty: nothing was dropped.
type DropReason string

// The reasons for a drop.
const (
	QueueFull     DropReason = "queue-full"
	Deadline      DropReason = "deadline"
	Duplicate     DropReason = "duplicate"
	Replaced      DropReason = "replaced"
	OldEpoch      DropReason = "old-epoch"
	UnknownStream DropReason = "unknown-stream"
	Malformed     DropReason = "malformed"
	Sealed        DropReason = "sealed"
	NoPath        DropReason = "no-path"
	Limit         DropReason = "limit"
	Role          DropReason = "role"
)
