package room

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
)

// Devices lists all devices, by name.
func (r *Room) Devices() []signal.Device {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.listLocked(time.Now(), func(*Device) bool { return true })
}

func (r *Room) listLocked(now time.Time, which func(*Device) bool) []signal.Device {
	list := make([]signal.Device, 0, len(r.devices))
	for _, d := range r.devices {
		if which(d) {
			list = append(list, d.presence(now))
		}
	}
	slices.SortFunc(list, func(a, b signal.Device) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// findLocked finds a device by its id, or by its name: who is online under it
// goes before who once was.
func (r *Room) findLocked(name string, now time.Time) (*Device, *Refusal) {
	if d := r.devices[name]; d != nil {
		return d, nil
	}
	if d := r.names[name]; d != nil {
		return d, nil
	}
	var found []*Device
	for _, d := range r.devices {
		if d.name == name {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, r.unknownLocked(name, now)
	}
	return nil, &Refusal{
		Code:       "ambiguous",
		Reason:     fmt.Sprintf("%d devices have the name %q, all offline", len(found), plain(name, maxFact)),
		Remedy:     "ask by id",
		Candidates: r.candidatesLocked(now, func(d *Device) bool { return d.name == name }),
	}
}

func (r *Room) unknownLocked(name string, now time.Time) *Refusal {
	lower := strings.ToLower(name)
	similar := r.candidatesLocked(now, func(d *Device) bool {
		known := strings.ToLower(d.name)
		return strings.Contains(known, lower) || strings.Contains(lower, known) || strings.HasPrefix(d.id, lower)
	})
	if len(similar) == 0 {
		similar = r.candidatesLocked(now, func(*Device) bool { return true })
	}
	return &Refusal{
		Code:       "unknown-device",
		Reason:     fmt.Sprintf("no device has the name or id %q", plain(name, maxFact)),
		Remedy:     "check the name; a device is known from the first time it connects",
		Candidates: similar,
	}
}

func (r *Room) candidatesLocked(now time.Time, which func(*Device) bool) []signal.Device {
	list := r.listLocked(now, which)
	for i := range list {
		list[i].Facts, list[i].Session = nil, 0
	}
	return list[:min(len(list), maxCandidateList)]
}
