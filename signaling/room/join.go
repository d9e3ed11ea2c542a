package room

import (
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Join makes the device of a hello live on link, which it welcomes there, or
// says why not. The same key takes over from its older link at once; another
// key cannot have a name that is online. Whoever joined calls End when the link
// is over.
func (r *Room) Join(h Hello, link Link) (*Session, *Refusal) {
	now := time.Now()
	s := newSession(r, h, link, now)
	older, refusal := r.admit(s, h, now)
	if refusal != nil {
		return nil, refusal
	}
	if older != nil {
		older.link.Close(wire.CodeByName("taken-over"), "the same device connected again")
	}
	r.cfg.Log.Info("device joined", "device", h.ID, "name", h.Name, "session", s.number, "took_over", older != nil)
	return s, nil
}

func (r *Room) admit(s *Session, h Hello, now time.Time) (older *Session, refusal *Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[h.ID]
	if refusal = r.mayJoinLocked(d, h, now); refusal != nil {
		return nil, refusal
	}
	if d == nil {
		d = newDevice(h.ID)
		r.devices[h.ID] = d
	}
	if older = d.session; older != nil {
		older.fenceLocked()
	}
	r.freeNameLocked(d)
	r.lastSession = max(r.lastSession, d.number)
	s.device, s.number, d.home, d.cut = d, r.nextSessionLocked(now), "", time.Time{}
	d.ahead = 0
	d.retained.Revive()
	Tell(s.link, 0, s.welcome(h.UDP, now)) // before a viewer can find the session, and be heard first
	d.session, d.number, d.name, d.facts = s, s.number, h.Name, h.Facts
	r.weighLocked(d)
	r.names[h.Name] = d
	d.setState(signal.StateLive, now)
	r.changedLocked(d)
	return older, nil
}

func (s *Session) welcome(udp *uint16, now time.Time) signal.Message {
	return signal.Message{
		Type: signal.Welcome, Device: quoted(s.device.id), Session: s.number,
		Server: s.room.cfg.Name, Time: uint64(max(now.UnixMicro(), 0)), UDP: udp, Revision: s.device.description.wholeIn(s.epoch),
	}
}

func (r *Room) mayJoinLocked(d *Device, h Hello, now time.Time) *Refusal {
	if holder := r.names[h.Name]; holder != nil && holder != d {
		return &Refusal{
			Code:       "name-taken",
			Reason:     fmt.Sprintf("another device, %s, is online as %q", holder.id, h.Name),
			Remedy:     "choose another name with --name, or stop the other device",
			Candidates: []signal.Device{holder.presence(now)},
		}
	}
	if d != nil && d.session != nil && d.session.laterThan(h) {
		return &Refusal{Code: "taken-over", Reason: "the same device said hello on a later link, which was here first"}
	}
	if d == nil && len(r.devices) >= r.cfg.MaxDevices {
		return &Refusal{
			Code:   "too-many",
			Reason: fmt.Sprintf("the server knows %d devices already, which is its limit", len(r.devices)),
			Remedy: "remove devices that are gone for good (DELETE /v1/devices/ID as admin)",
		}
	}
	return nil
}

// laterThan reports whether a hello is of the same run of the device's program,
// and was said before that of this session: two links may overtake one another.
func (s *Session) laterThan(h Hello) bool {
	return h.Epoch != "" && h.Epoch == s.epoch && h.Hellos < s.hellos
}

// Cause is why a device's link is over.
type Cause int

// The causes. Only a cut brings the wills out.
const (
	Cut     Cause = iota // closed or silent without a bye
	Drained              // this server goes down
)

// End takes the device offline, unless a newer session of it has taken over.
func (s *Session) End(cause Cause) {
	now := time.Now()
	var wills []will
	if cause == Cut && !s.bye.Load() {
		wills = s.wills
	}
	bindings, ended := s.leave(wills, now)
	if !ended {
		return
	}
	publishWills(wills, bindings, now)
	s.room.cfg.Log.Info("device left", "device", s.device.id, "session", s.number, "bye", s.bye.Load())
}

// leave keeps the wills before a newer session can begin, which revokes them.
func (s *Session) leave(wills []will, now time.Time) ([]*binding, bool) {
	r, d := s.room, s.device
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.session != s {
		return nil, false
	}
	bindings := s.fenceLocked()
	d.session, d.heard = nil, s.lastHeard()
	if !s.bye.Load() {
		d.cut = now
	}
	for _, w := range wills {
		d.retained.Keep(w.header, w.body, now)
	}
	r.freeNameLocked(d)
	d.setState(signal.StateOffline, now)
	r.changedLocked(d)
	r.weighLocked(d)
	return bindings, true
}

// publishWills tells every Conn that wants them, on the relay: the direct
// paths of a device that is gone carry nothing.
func publishWills(wills []will, bindings []*binding, now time.Time) {
	for _, w := range wills {
		for _, b := range bindings {
			b.conn.publishWill(w, now)
		}
	}
}

// Remove forgets a device that is offline.
func (r *Room) Remove(id string) *Refusal {
	left, refusal := r.remove(id)
	tellRemoved(left)
	return refusal
}

func (r *Room) remove(id string) ([]*Conn, *Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[id]
	switch {
	case d == nil:
		return nil, &Refusal{Code: "unknown-device", Reason: "no device has this id", Remedy: "GET /v1/devices lists them"}
	case d.state != signal.StateOffline:
		return nil, &Refusal{Code: "name-taken", Reason: "the device is online", Remedy: "stop it first: it would come back at once"}
	}
	r.unsaved[d] = true
	return r.dropLocked(d), nil
}

// tellRemoved tells those who had a device open that it is gone. If it is ever back it is another one, as to them: they ask for it
// now and then.
func tellRemoved(conns []*Conn) {
	gone := Refusal{Code: "unknown-device", Reason: "the device was removed from this server", Remedy: "it is there again once it connects"}
	for _, c := range conns {
		Tell(c.viewer.link, c.number, gone.Message(signal.Refused))
	}
}

// dropLocked returns who had it open, here.
func (r *Room) dropLocked(d *Device) (left []*Conn) {
	for c := range d.watching {
		if !c.viewer.trunk { // another server tells its own
			left = append(left, c)
		}
	}
	clear(d.watching)
	delete(r.devices, d.id)
	r.away -= d.weight
	d.weight = 0
	delete(r.changed, d)
	for v := range r.watchers { // there is no signal for one that went: all get the list anew
		r.watchers[v] = false
	}
	r.poke()
	return left
}
