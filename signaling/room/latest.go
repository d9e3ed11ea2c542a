package room

import (
	"context"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/signaling/relay"
)

// Latest is what the server retains of a device.
type Latest struct {
	Device signal.Device
	Values []LatestValue
}

// LatestValue is the newest frame of a stream that was described.
type LatestValue struct {
	Stream signal.Stream
	relay.Value
}

// Latest looks up a device by name or id, and what is retained of the streams
// that the globs name; none: of all.
func (r *Room) Latest(name string, want []string) (Latest, *Refusal) {
	d, presence, no := r.lookUp(name)
	if no != nil {
		return Latest{}, no
	}
	latest := Latest{Device: presence}
	streams := d.description.all()
	chosen := func(id uint32) bool {
		s, known := streams[id]
		return known && signal.Wanted(want, s.Name)
	}
	for _, v := range d.retained.Values(chosen) {
		latest.Values = append(latest.Values, LatestValue{streams[v.Header.Stream], v})
	}
	return latest, nil
}

func (r *Room) lookUp(name string) (*Device, signal.Device, *Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	d, no := r.findLocked(name, now)
	switch {
	case no != nil:
		return nil, signal.Device{}, no
	case d.home != "":
		return nil, signal.Device{}, &Refusal{
			Code:   "offline",
			Reason: "the device is linked to another server, which alone holds its values",
			Remedy: "ask that one, or watch the device: `telepath view` works here too",
		}
	}
	return d, d.presence(now), nil
}

// Await waits until the value of a device's stream is that of a position, or
// newer. False: ctx ended before.
func (r *Room) Await(ctx context.Context, device string, stream, epoch uint32, seq uint64) bool {
	r.mu.Lock()
	d := r.devices[device]
	r.mu.Unlock()
	if d == nil {
		return false
	}
	for {
		changed := d.retained.Changed()
		if d.retained.Has(stream, epoch, seq) {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// Heard notes that a device was heard of in another way than on its link.
func (r *Room) Heard(device string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.devices[device]; d != nil && d.session != nil && d.home == "" {
		d.session.Heard(now)
	}
}
