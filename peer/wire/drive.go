package wire

import (
	"encoding/binary"
	"math"
)

// Tick is what a device's monotonic clock shows (section 10.2).
type Tick struct {
	Epoch uint32 // of this run of the device's program
	At    uint64 // µs since that began, suspended time included
}

// Drive is a heartbeat of who holds the lease, with the setpoints of this moment (section 10.4).
type Drive struct {
	Fence     uint64 // of the lease
	Seq       uint64 // rises within a lease
	Hand      uint64 // rises only while a hand is there
	Tick      Tick   // the newest that was seen
	Setpoints []Target
}

// Target is where an axis is to go.
type Target struct {
	Axis  uint64 // its number
	Value float64
}

// MaxAxes bounds the axes of a device, and so the setpoints of a Drive.
const MaxAxes = 32

func (r *reader) tick() (t Tick) {
	t.Epoch = r.u32()
	t.At = r.uvarint(MaxInt)
	return t
}

// AppendTick appends a Tick frame's body.
func AppendTick(b []byte, t Tick) []byte {
	return AppendUvarint(binary.BigEndian.AppendUint32(b, t.Epoch), t.At)
}

// ParseTick reads a Tick frame's body.
func ParseTick(body []byte) (Tick, error) {
	r := reader{b: body}
	t := r.tick()
	return t, r.err
}

// ParseDrive reads a Drive frame's body into d, whose Setpoints are reused. Values are finite.
func ParseDrive(d *Drive, body []byte) error {
	r := reader{b: body}
	d.Fence, d.Seq, d.Hand = r.uvarint(MaxInt), r.uvarint(MaxInt), r.uvarint(MaxInt)
	d.Tick = r.tick()
	d.Setpoints = d.Setpoints[:0]
	for range r.uvarint(MaxAxes) {
		axis := r.uvarint(MaxAxes)
		bits := r.take(8)
		if r.err != nil {
			return r.err
		}
		value := math.Float64frombits(binary.BigEndian.Uint64(bits))
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return ErrRange
		}
		d.Setpoints = append(d.Setpoints, Target{axis, value})
	}
	return r.err
}

// AppendDrive appends a Drive frame's body.
func AppendDrive(b []byte, d *Drive) []byte {
	b = AppendUvarint(AppendUvarint(AppendUvarint(b, d.Fence), d.Seq), d.Hand)
	b = AppendUvarint(AppendTick(b, d.Tick), uint64(len(d.Setpoints)))
	for _, s := range d.Setpoints {
		b = AppendUvarint(b, s.Axis)
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(s.Value))
	}
	return b
}
