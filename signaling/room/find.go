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
	list := r.listLocked(time.Now())
	r.mu.Unlock()
	sortDevices(list)
	return list
}

// listLocked lists all devices in any order: sorting thousands is not for everybody to wait for.
func (r *Room) listLocked(now time.Time) []signal.Device {
	list := make([]signal.Device, 0, len(r.devices))
	for _, d := range r.devices {
		list = append(list, d.presence(now))
	}
	return list
}

func sortDevices(list []signal.Device) {
	slices.SortFunc(list, func(a, b signal.Device) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
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

// How often all devices are searched for those that somebody may have meant, for all who ask: everything else waits meanwhile.
const (
	searchesPerSecond = 10
	searchesAtOnce    = 100
)

// candidatesLocked are the first few by name; none, if that is asked too often.
func (r *Room) candidatesLocked(now time.Time, which func(*Device) bool) []signal.Device {
	if !r.searches.AllowN(now, 1) {
		return nil
	}
	first := make([]*Device, 0, maxCandidateList+1)
	for _, d := range r.devices {
		full := len(first) == maxCandidateList
		if !which(d) || full && byName(d, first[maxCandidateList-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(first, d, byName)
		first = slices.Insert(first, at, d)
		if full {
			first = first[:maxCandidateList]
		}
	}
	list := make([]signal.Device, len(first))
	for i, d := range first {
		list[i] = d.presence(now)
		list[i].Facts, list[i].Session = nil, 0
	}
	return list
}

func byName(a, b *Device) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) }
