package room

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// Open opens a Conn under the viewer's number, or opens it again. body is the
// signal as it came: members that this version does not know go on to the device.
func (v *Viewer) Open(number uint64, m signal.Message, body []byte) {
	role := v.role
	if v.trunk { // of the viewer behind it
		role = auth.Role(m.Role)
	}
	c, presence, refusal := v.open(number, m, role)
	if refusal != nil {
		Tell(v.link, number, refusal.Message(signal.Refused))
		return
	}
	defer v.room.checkGreeted(c, presence)
	b := c.bound.Load()
	switch {
	case b == nil:
		c.greet(presence, nil, m)
	case b.session.home != "": // greets itself; a name may mean another device there
		ask(b, with(body, map[string]json.RawMessage{"role": quoted(string(role)), "good_ms": v.good(m), "device": quoted(c.device.id), "servers": nil}))
	default:
		viewer, device := v.room.turnServers(c, b.session)
		c.greet(presence, viewer, m)
		ask(b, with(body, map[string]json.RawMessage{"role": quoted(string(role)), "good_ms": v.good(m), "servers": listed(device)}))
	}
}

// ask passes an open on. One that finds no room is lost: its viewer repeats it until the device accepts.
func ask(b *binding, body []byte) { _ = passToDevice(b, frameOf(b.number, body)) }

func (v *Viewer) open(number uint64, m signal.Message, role auth.Role) (*Conn, signal.Device, *Refusal) {
	name, refusal := checkOpen(m)
	if refusal != nil {
		return nil, signal.Device{}, refusal
	}
	r, now := v.room, time.Now()
	if !v.trunk && !v.opens.Allow() { // a trunk's were counted where they came from
		return nil, signal.Device{}, opensTooOften
	}
	if !v.trunk && v.misses.Tokens() < 1 {
		return nil, signal.Device{}, &Refusal{Code: "rate-limited", Reason: "this link asked for too many devices that are not there", Remedy: "ask again in a second, with names from the list of devices"}
	}
	r.mu.Lock()
	d, refusal := r.findLocked(name, now)
	if refusal != nil {
		r.mu.Unlock()
		v.misses.Allow()
		return nil, signal.Device{}, refusal
	}
	c, older, refusal := v.connLocked(number, m, role, d)
	presence := d.presence(now)
	r.mu.Unlock()
	if older != nil {
		older.end(signal.Close)
	}
	if refusal == nil && !v.trunk && !c.opens.Allow() {
		refusal = opensTooOften
	}
	return c, presence, refusal
}

var opensTooOften = &Refusal{Code: "rate-limited", Reason: "this link opens devices too often", Remedy: "wait longer before each next open"}

// connLocked finds or makes the Conn and binds it to the device's session, if
// there is one. older had the number before. It needs Room.mu.
func (v *Viewer) connLocked(number uint64, m signal.Message, role auth.Role, d *Device) (c, older *Conn, refusal *Refusal) {
	c, older, refusal = v.take(number, m.ID, d)
	if refusal != nil {
		return nil, nil, refusal
	}
	if v.trunk && d.home != "" {
		return nil, older, &Refusal{Code: "draining", Reason: "the device has moved to another server", Remedy: "try again"}
	}
	c.want.Store(&m.Want)
	c.commands.Store(role.Includes(auth.Operator))
	d.watching[c] = true
	session := d.session
	if !v.trunk { // who came over a trunk is not sent on over another
		session = v.room.sessionLocked(d)
	}
	if session == nil {
		return c, older, nil
	}
	_, moved, refusal := session.bind(c)
	if moved != nil {
		delete(d.watching, moved.conn)
		moved.conn.viewer.forget(moved.conn)
	}
	return c, older, refusal
}

// take finds the Conn that is known by number, or makes it.
func (v *Viewer) take(number uint64, id string, d *Device) (c, older *Conn, refusal *Refusal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c = v.conns[number]
	switch {
	case v.over:
		return nil, nil, &Refusal{Code: "timeout", Reason: "the link is over"}
	case c != nil && c.id == id && c.device == d:
		return c, nil, nil
	case c == nil && len(v.conns) >= maxConnsPerViewer && !v.trunk:
		return nil, nil, &Refusal{Code: "too-many", Reason: "too many devices are open on one link", Remedy: "close some, or use another link"}
	}
	older = c
	c = &Conn{id: id, viewer: v, number: number, device: d, opens: rate.NewLimiter(reopensPerSecond, reopensAtOnce)}
	v.conns[number] = c
	return c, older, nil
}

// forget drops a Conn that has moved to another link.
func (v *Viewer) forget(c *Conn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.conns[c.number] == c {
		delete(v.conns, c.number)
	}
}

// checkOpen returns which device an open asks for.
func checkOpen(m signal.Message) (device string, refusal *Refusal) {
	if err := json.Unmarshal(m.Device, &device); err != nil || device == "" {
		return "", malformed("open: device is not a name or id")
	}
	if id, err := uuid.Parse(m.ID); err != nil || id.String() != strings.ToLower(m.ID) {
		return "", malformed("open: id is not a UUID")
	}
	if len(m.Want) > maxWant {
		return "", malformed("open: %d globs, more than %d", len(m.Want), maxWant)
	}
	for _, glob := range m.Want {
		if len(glob) > wire.MaxStreamName {
			return "", tooLarge("open: a glob", len(glob), wire.MaxStreamName)
		}
	}
	if len(m.Positions) > wire.MaxStreams {
		return "", malformed("open: %d positions, more than %d", len(m.Positions), wire.MaxStreams)
	}
	return device, nil
}

// with sets members of a signal, in the place of whatever the viewer wrote
// there; nil: there is none. JSON readers may take "Role" for "role": all spellings go.
func with(body []byte, set map[string]json.RawMessage) []byte {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil { // it was parsed before
		return body
	}
	for name := range members {
		for ours := range set {
			if strings.EqualFold(name, ours) {
				delete(members, name)
			}
		}
	}
	for name, value := range set {
		if value != nil {
			members[name] = value
		}
	}
	changed, err := json.Marshal(members)
	if err != nil { // all of it was JSON before
		return body
	}
	return changed
}

func quoted(text string) json.RawMessage {
	b, err := json.Marshal(text)
	if err != nil { // strings always encode
		return json.RawMessage(`""`)
	}
	return b
}
