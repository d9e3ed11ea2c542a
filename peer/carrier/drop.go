package carrier

// DropReason is why a frame was not sent (protocol section 5.3, as far as
// queues decide it).
type DropReason uint8

// The reasons.
const (
	QueueFull DropReason = iota // the queue of its class was full
	Deadline                    // past its deadline, and not the newest of its stream
	Replaced                    // a newer Setpoint took its place
	NoPath                      // the carrier ended before it was sent, or was left by who sent it
	Limit                       // longer than a packet may be, or empty
	dropReasons
)

var dropNames = [dropReasons]string{"queue-full", "deadline", "replaced", "no-path", "limit"}

// String returns the reason as metrics show it.
func (r DropReason) String() string {
	if r < dropReasons {
		return dropNames[r]
	}
	return "unknown"
}

// Drops counts dropped frames by reason.
type Drops [dropReasons]uint64

// Total is the number of frames dropped for whatever reason.
func (d Drops) Total() (n uint64) {
	for _, count := range d {
		n += count
	}
	return n
}
