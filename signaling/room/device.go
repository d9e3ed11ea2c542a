package room

import (
	"encoding/json"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/signaling/relay"
)

// Device is what the server knows of one device, linked or not.
type Device struct {
	id string // set once

	// Guarded by Room.mu.
	name     string
	facts    map[string]string
	state    string
	since    time.Time     // of state
	heard    time.Time     // last, while there is no session
	ahead    time.Duration // of a clock that is wrong, of this server's; 0: it is right, or nobody knows
	cut      time.Time     // when its link was, or when this server began or heard of that; zero: it is linked, or has said goodbye
	session  *Session      // nil: offline
	number   uint64        // of the newest session
	watching map[*Conn]bool
	home     string // the other server it is linked to; empty: this one
	record   Record // what home stored, if there is one
	weight   int    // bytes that are held of it while it is not linked here

	// With locks of their own.
	retained    relay.Retained
	description description
}

func newDevice(id string) *Device {
	return &Device{id: id, state: signal.StateOffline, watching: make(map[*Conn]bool)}
}

// graceTime is how long a device whose link was cut may take to come back by itself: its longest pause between two attempts
// (10 s), and the time for one.
const graceTime = 15 * time.Second

// lastHeard needs Room.mu.
func (d *Device) lastHeard() time.Time {
	if d.session != nil && d.home == "" {
		return d.session.lastHeard()
	}
	return d.heard
}

// presence is what people are told of d. It needs Room.mu.
func (d *Device) presence(now time.Time) signal.Device {
	p := signal.Device{
		ID: d.id, Name: d.name, State: d.state, Facts: d.facts,
		Since:   float64(unixMilli(d.since, now)) / 1000,
		Session: d.number,
	}
	exact := d.home == "" || d.state == signal.StateOffline // a home tells others only now and then
	if heard := d.lastHeard(); exact && !heard.IsZero() {
		p.HeardMS = uint64(max(now.Sub(heard).Milliseconds(), 0))
	}
	if d.state != signal.StateOffline {
		p.AheadMS = d.ahead.Milliseconds()
	}
	if d.state == signal.StateOffline && !d.cut.IsZero() {
		p.GraceMS = uint64(max(graceTime-now.Sub(d.cut), 0).Milliseconds())
	}
	return p
}

// setState needs Room.mu. It reports whether that is news.
func (d *Device) setState(state string, now time.Time) bool {
	if d.state == state {
		return false
	}
	d.state, d.since = state, now
	return true
}

// object is a device as the member `device` of a signal.
func object(d signal.Device) json.RawMessage {
	data, err := json.Marshal(d)
	if err != nil { // strings and numbers always encode
		return json.RawMessage("{}")
	}
	return data
}
