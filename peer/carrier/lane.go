package carrier

import "github.com/telepath-iot/telepath/peer/wire"

// Lane is a queue within the Queue: one per class, and one for control.
// Their order is their priority.
type Lane uint8

// The lanes, most urgent first.
const (
	LaneSignal Lane = iota
	LaneCall
	LaneControl // Probe, Echo, Ack, Gap
	LaneSetpoint
	LaneLive
	LaneEvent
	LaneHistory
	lanes
)

var classLanes = [...]Lane{
	wire.Signal:   LaneSignal,
	wire.Call:     LaneCall,
	wire.Event:    LaneEvent,
	wire.Setpoint: LaneSetpoint,
	wire.Live:     LaneLive,
	wire.History:  LaneHistory,
}

// Lane is where f is queued.
func (f Frame) Lane() Lane {
	switch {
	case f.Control:
		return LaneControl
	case int(f.Class) < len(classLanes):
		return classLanes[f.Class]
	default: // a class of a later version: it may wait
		return LaneHistory
	}
}

// losesOldest says what a full lane does: lose its oldest, or refuse the newest.
func (l Lane) losesOldest() bool {
	return l == LaneLive || l == LaneControl || l == LaneSetpoint
}

// isShared says that of a full lane whoever has most in it loses first.
func (l Lane) isShared() bool { return l == LaneControl || l == LaneCall || l == LaneSignal }

// knowsNewest says that the newest frame of a stream is special here.
func (l Lane) knowsNewest() bool { return l == LaneLive || l == LaneSetpoint }

// Lanes is a set of lanes.
type Lanes uint8

// AllLanes is every lane: for a path with one channel.
const AllLanes Lanes = 1<<lanes - 1

// SetOf makes a set.
func SetOf(members ...Lane) (s Lanes) {
	for _, l := range members {
		s |= 1 << l
	}
	return s
}

// Has reports whether l is in the set.
func (s Lanes) Has(l Lane) bool { return s>>l&1 != 0 }

// Depth bounds of the lanes: bytes against memory, frames against the cost
// of many tiny ones. Together they are what one path can make a program hold.
var defaultLimits = Limits{
	LaneSignal:   {Bytes: 1 << 20, Frames: 1024},   // in half of it `describe` of 256 streams with all their meta, for one who asked
	LaneCall:     {Bytes: 64 << 10, Frames: 64},    // people's commands: more than these are not meant to wait
	LaneControl:  {Bytes: 128 << 10, Frames: 512},  // a full probe and acknowledgements of 64 Conns
	LaneSetpoint: {Bytes: 64 << 10, Frames: 256},   // one per stream, a Tick or a Drive per Conn
	LaneLive:     {Bytes: 256 << 10, Frames: 2048}, // a second of 256 KiB/s: older is worth little
	LaneEvent:    {Bytes: 512 << 10, Frames: 2048}, // twice a Conn's flight of 256 KiB (protocol 5.1)
	LaneHistory:  {Bytes: 256 << 10, Frames: 256},  // the source pauses; enough to keep a path busy
}

// Limits bound a Queue, by lane. A zero bound means the default.
type Limits [lanes]Depth

// orDefault fills what is zero.
func (l Limits) orDefault() Limits {
	for i := range l {
		if l[i].Bytes == 0 {
			l[i].Bytes = defaultLimits[i].Bytes
		}
		if l[i].Frames == 0 {
			l[i].Frames = defaultLimits[i].Frames
		}
	}
	return l
}
