package peertest

import (
	"encoding/json"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is what the relay does for each kind of link. All functions are
// called with Relay.mu held.

func (r *Relay) newDevice(link *Carrier) (receive func(wire.Frame), leave func()) {
	d := &relayDevice{link: link, conns: map[uint64]*relayConn{}}
	tellSignal(link, 0, signal.Message{Type: signal.Challenge, Nonce: make([]byte, 32)})
	return func(f wire.Frame) { r.fromDevice(d, f) }, func() { r.deviceGone(d) }
}

func (r *Relay) fromDevice(d *relayDevice, f wire.Frame) {
	c := d.conns[f.Hop.Conn]
	switch {
	case f.Type == wire.TypeProbe && f.Hop.Conn == 0:
		echo(d.link, f)
	case f.Type == wire.TypeSignal:
		m, err := signal.Parse(f.Body)
		if err != nil {
			panic(err)
		}
		r.deviceSignal(d, c, f, m)
	case r.device != d: // said no hello, or was taken over
	case f.Hop.Conn != 0:
		if c != nil {
			forward(c.viewer.link, f, c.number)
		}
	case f.Type == wire.TypeData:
		r.share(d, f)
	}
}

func (r *Relay) share(d *relayDevice, f wire.Frame) {
	h, _, err := wire.ParseData(f.Body)
	if err != nil {
		return
	}
	r.kept[h.Stream] = keptFrame{append([]byte(nil), f.Body...), time.Now()}
	if f.Hop.Store {
		return
	}
	r.shared++
	for _, c := range d.conns {
		if c.routes[h.Stream] {
			forward(c.viewer.link, f, c.number)
		}
	}
}

func (r *Relay) deviceSignal(d *relayDevice, c *relayConn, f wire.Frame, m signal.Message) {
	if m.Type == signal.Describe {
		for _, s := range m.Streams {
			r.told = append(r.told, s.ID)
		}
	}
	switch {
	case m.Type == signal.Hello:
		r.hello(d, m)
	case r.device != d:
	case m.Type == signal.Describe && f.Hop.Conn == 0:
		if r.epoch != m.Epoch {
			r.epoch, r.streams, r.revision = m.Epoch, nil, 0
			clear(r.kept)
		}
		r.revision = max(r.revision, m.Revision)
		r.streams = append(r.streams, append(json.RawMessage(nil), f.Body...))
	case m.Type == signal.Bye && f.Hop.Conn == 0:
		d.said = true
	case c == nil:
	case m.Type == signal.Route:
		for _, s := range m.Routed {
			if delete(c.routes, s); m.On {
				c.routes[s] = true
			}
		}
	default:
		forward(c.viewer.link, f, c.number)
	}
}

func (r *Relay) hello(d *relayDevice, m signal.Message) {
	if older := r.device; older != nil {
		r.deviceGone(older)
		older.link.Close(wire.CodeByName("taken-over"), "the same device connected again")
	}
	r.session++
	r.device, d.name = d, m.Name
	r.asked = time.Duration(m.KeepAliveMS) * time.Millisecond
	r.known = &signal.Device{ID: "00112233445566778899aabbccddeeff", Name: m.Name}
	welcome := signal.Message{Type: signal.Welcome, Session: r.session}
	if m.Epoch == r.epoch {
		welcome.Revision = r.revision
	}
	tellSignal(d.link, 0, welcome)
	r.present(signal.StateLive)
}

// present tells all viewers of the device's state.
func (r *Relay) present(state string) {
	r.known.State, r.known.Session = state, r.session
	for v := range r.viewers {
		for _, c := range v.conns {
			tellSignal(v.link, c.number, signal.Message{Type: signal.State, Device: object(*r.known)})
		}
	}
}

func (r *Relay) deviceGone(d *relayDevice) {
	if r.device != d {
		return
	}
	r.device = nil
	for _, c := range d.conns {
		c.bound = 0
		clear(c.routes)
	}
	r.present(signal.StateOffline)
}

func object(d signal.Device) json.RawMessage {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return b
}

func (r *Relay) newViewer(link *Carrier, open []byte) (receive func(wire.Frame), leave func()) {
	v := &relayViewer{link: link, conns: map[uint64]*relayConn{}}
	r.viewers[v] = true
	tellSignal(link, 0, signal.Message{Type: signal.Welcome, Role: r.role})
	if open != nil {
		r.open(v, 1, open)
	}
	return func(f wire.Frame) { r.fromViewer(v, f) }, func() { r.viewerGone(v) }
}

func (r *Relay) viewerGone(v *relayViewer) {
	delete(r.viewers, v)
	for _, c := range v.conns {
		r.part(c, signal.Away)
	}
}

func (r *Relay) fromViewer(v *relayViewer, f wire.Frame) {
	c := v.conns[f.Hop.Conn]
	switch {
	case f.Type == wire.TypeProbe && f.Hop.Conn == 0:
		echo(v.link, f)
	case f.Type == wire.TypeSignal:
		m, err := signal.Parse(f.Body)
		switch {
		case err != nil:
			panic(err)
		case m.Type == signal.Open:
			r.open(v, f.Hop.Conn, f.Body)
		case c != nil && m.Type == signal.Close:
			delete(v.conns, c.number)
			r.part(c, signal.Close)
		case c != nil && c.bound != 0:
			forward(r.device.link, f, c.bound)
		}
	case c != nil && c.bound != 0:
		forward(r.device.link, f, c.bound)
	}
}

func (r *Relay) open(v *relayViewer, number uint64, body []byte) {
	m, err := signal.Parse(body)
	if err != nil {
		panic(err)
	}
	if r.known == nil {
		tellSignal(v.link, number, signal.Message{Type: signal.Refused, Code: "unknown-device", Reason: "no such device"})
		return
	}
	r.moved(v, m.ID)
	c := v.conns[number]
	if c == nil || c.id != m.ID {
		c = &relayConn{id: m.ID, viewer: v, number: number, routes: map[uint32]bool{}}
		v.conns[number] = c
	}
	tellSignal(v.link, number, signal.Message{Type: signal.Opened, ID: m.ID, Device: object(*r.known), Servers: r.servers})
	for _, d := range r.streams {
		if m.Epoch == r.epoch && m.Revision >= r.revision {
			break
		}
		tell(v.link, wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: number}, d), wire.Signal, false)
	}
	for _, k := range r.kept {
		held := uint64(time.Since(k.at).Milliseconds())
		forward(v.link, wire.Frame{Type: wire.TypeData, Hop: wire.Hop{Retained: true, Held: held}, Body: k.body}, number)
	}
	if r.device == nil {
		return
	}
	if c.bound == 0 {
		r.device.last++
		c.bound = r.device.last
		r.device.conns[c.bound] = c
	}
	m.Servers, m.Role = r.servers, r.role
	tellSignal(r.device.link, c.bound, m)
}

// moved takes a Conn off the older link of its viewer.
func (r *Relay) moved(to *relayViewer, id string) {
	for v := range r.viewers {
		for n, c := range v.conns {
			if v != to && c.id == id {
				delete(v.conns, n)
				if r.device != nil && c.bound != 0 {
					delete(r.device.conns, c.bound)
				}
			}
		}
	}
}

// part ends a Conn on the device's link, which is told why.
func (r *Relay) part(c *relayConn, why string) {
	if r.device != nil && c.bound != 0 {
		delete(r.device.conns, c.bound)
		tellSignal(r.device.link, c.bound, signal.Message{Type: why})
	}
}

func echo(link *Carrier, f wire.Frame) {
	if p, err := wire.ParseProbe(f.Body); err == nil {
		now := uint64(time.Now().UnixMicro())
		tell(link, wire.AppendEcho(nil, wire.Hop{}, wire.Echo{Probe: p, T2: now, T3: now}), wire.Setpoint, true)
	}
}
