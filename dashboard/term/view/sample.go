package view

import (
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
)

// Sample is one sample as it is shown.
type Sample struct {
	Device *signal.Device
	Stream *signal.Stream
	Unit   string
	Epoch  uint32
	Seq    uint64
	T      int64         // µs since the Unix epoch, on the device's clock
	Ahead  time.Duration // that this clock is of ours; 0 while unknown
	Value  telemetry.Value
	Age    Age
	Path   string        // the rung it came on
	Late   bool          // newer ones were shown before
	Kept   bool          // a retained value or a last will, no live sample
	Held   time.Duration // how long it was kept
	Past   bool          // it was made before, and comes from the device's spool
}

// Age is how old a sample was when it came, and how wrong that may be.
type Age struct {
	Value, Err      time.Duration
	Known, ErrKnown bool
}

// sampleTime is a sample's time: its own, or for a last will when it was published.
func sampleTime(r *peer.Received, own int64) int64 {
	if r.Header.Will {
		return r.At.Add(-r.Held).UnixMicro()
	}
	return own
}
