package room

import (
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// Several servers share their records. A device's home is the server it is, or
// was last, linked to; it alone keeps what the device says. Another server
// whose viewer opens the device becomes a viewer of it at its home, once for
// all its own viewers: the link for that is a trunk.
//
//	viewer ── server B ── shadow Session ══ trunk ══ trunk Viewer ── server A (home) ── Session ── device
//
// A shadow Session stands in B for the device's: the same table, the same
// bindings, so that nothing else in B needs to know the difference. A shared
// frame crosses the trunk once, and only if somebody in B is routed to it.

// Peers makes trunks. Its calls do not block, and do not call the Room.
type Peers interface {
	// Home makes the trunk to a device at its home. Close ends it.
	Home(server, device string) Link
}

// Learn takes the record that another server stored of a device.
func (r *Room) Learn(rec Record) {
	r.mu.Lock()
	older := r.learnLocked(rec)
	r.mu.Unlock()
	if older != nil {
		older.link.Close(wire.CodeByName("taken-over"), "the same device connected to another server")
	}
}

func (r *Room) learnLocked(rec Record) (older *Session) {
	if rec.Server == r.cfg.ID { // our own word
		return nil
	}
	d := r.devices[rec.ID]
	if d == nil {
		d = newDevice(rec.ID)
		r.devices[rec.ID] = d
	}
	if rec.Session < d.number {
		if d.home == "" { // the store must not stay behind
			r.unsaved[d] = true
		}
		return nil
	}
	if d.session != nil && (d.session.home == "" || d.session.home != rec.Server) {
		older = d.session
		older.fenceLocked()
		d.session = nil
	}
	d.home, d.record = rec.Server, rec
	r.weighLocked(d)
	r.applyLocked(d)
	return older
}

// applyLocked makes a device of another home what its record says, as far as
// that home is there to stand by it.
func (r *Room) applyLocked(d *Device) {
	r.freeNameLocked(d)
	before := d.presence(time.Now())
	rec := d.record
	d.name, d.facts, d.number = rec.Name, rec.Facts, rec.Session
	d.ahead = time.Duration(rec.AheadMS) * time.Millisecond
	d.heard, d.since, d.state = time.UnixMilli(rec.HeardMS), time.UnixMilli(rec.SinceMS), rec.State
	if d.state != signal.StateOffline && !r.alive[d.home] {
		d.state, d.since = signal.StateOffline, d.heard
	}
	switch {
	case d.state != signal.StateOffline || !rec.mayReturn():
		d.cut = time.Time{}
	case d.cut.IsZero():
		d.cut = time.Now()
	}
	if d.state != signal.StateOffline && r.names[d.name] == nil {
		r.names[d.name] = d
	}
	after := d.presence(time.Now())
	if before.State != after.State || before.Since != after.Since || before.Session != after.Session || before.Name != after.Name || before.AheadMS != after.AheadMS {
		r.changedLocked(d)
	}
}

func (r *Room) freeNameLocked(d *Device) {
	if r.names[d.name] == d {
		delete(r.names, d.name)
	}
}

// Forget takes that another server removed a device.
func (r *Room) Forget(id string) { tellRemoved(r.forget(id)) }

func (r *Room) forget(id string) []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[id]
	if d == nil || d.session != nil {
		return nil
	}
	r.freeNameLocked(d)
	return r.dropLocked(d)
}

// SetAlive takes whether another server is there. The devices of one that is
// not are offline until it says otherwise.
func (r *Room) SetAlive(server string, alive bool) {
	var ended []*Session
	r.mu.Lock()
	r.alive[server] = alive
	for _, d := range r.devices {
		if d.home != server {
			continue
		}
		if !alive && d.session != nil {
			ended = append(ended, d.session)
			d.session.fenceLocked()
			d.session = nil
		}
		r.applyLocked(d)
	}
	r.mu.Unlock()
	for _, s := range ended {
		s.link.Close(wire.CodeByName("silent"), "the device's server is gone")
	}
}

// sessionLocked is what leads to d: its own session, a shadow of the one at
// its home, or nil.
func (r *Room) sessionLocked(d *Device) *Session {
	if d.session != nil || d.home == "" || !r.alive[d.home] {
		return d.session
	}
	s := newSession(r, Hello{}, r.cfg.Peers.Home(d.home, d.id), time.Now())
	s.device, s.number, s.home = d, d.number, d.home
	d.session = s
	return s
}

// Shadow finds where frames go that come from a device's home; nil if nobody
// here watches the device any more.
func (r *Room) Shadow(server, device string) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[device]
	if d == nil || d.session == nil || d.session.home != server {
		return nil
	}
	return d.session
}

// Sweep ends the shadows that nobody uses.
func (r *Room) Sweep() {
	var ended []*Session
	r.mu.Lock()
	for _, d := range r.devices {
		if s := d.session; s != nil && s.home != "" && s.unused() {
			s.fenceLocked()
			d.session = nil
			ended = append(ended, s)
		}
	}
	r.mu.Unlock()
	for _, s := range ended {
		s.link.Close(wire.CodeByName("draining"), "nobody watches the device here any more")
	}
}

func (s *Session) unused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bindings) == 0
}

// EnterTrunk makes a viewer of another server's link. What its viewers may do
// was checked there.
func (r *Room) EnterTrunk(link Link) *Viewer {
	v := r.Enter(link, auth.Admin, "")
	v.trunk = true
	return v
}
