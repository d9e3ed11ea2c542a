package room

import (
	"cmp"
	"slices"
)

// maxAway bounds what is held of all devices that are not linked to this server, in bytes: 26 KiB for each of 10,000.
// Without it one that comes again and again under another key would fill the memory.
const maxAway = 256 << 20

// weighLocked counts what is held of a device that is not linked here. When that is too much of all of them together, what
// those have left who are gone for the longest time is forgotten; that they were here is not.
func (r *Room) weighLocked(d *Device) {
	r.away -= d.weight
	d.weight = 0
	if d.session == nil || d.home != "" {
		d.weight = d.retained.Bytes() + d.description.size()
	}
	r.away += d.weight
	if r.away > r.cfg.MaxAway {
		r.lightenLocked(r.cfg.MaxAway - r.cfg.MaxAway/4)
	}
}

func (r *Room) lightenLocked(most int) {
	var gone []*Device
	for _, d := range r.devices {
		if d.weight > 0 {
			gone = append(gone, d)
		}
	}
	slices.SortFunc(gone, func(a, b *Device) int { return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.id, b.id)) })
	forgotten := 0
	for ; r.away > most; forgotten++ {
		d := gone[forgotten]
		r.counters.Limit.Add(uint64(d.retained.Clear()))
		d.description.forget()
		r.away -= d.weight
		d.weight = 0
	}
	r.cfg.Log.Warn("what devices left that are gone for the longest time is forgotten: all of them left too much",
		"devices", forgotten, "of", len(gone), "bytes", r.away)
}
