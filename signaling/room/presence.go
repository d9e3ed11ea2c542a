package room

import (
	"context"
	"encoding/json"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
)

// Times of presence.
const (
	// liveFor: a linked device that was heard within this time is live, else reachable (section 6.5).
	liveFor = 5 * time.Second
	// scanEvery: how late a turn from live to reachable may be noticed.
	scanEvery = 250 * time.Millisecond
	// restBetween announcements: a whole fleet that comes back at once is
	// announced in a few large signals. The first of them goes out at once.
	restBetween = 25 * time.Millisecond
)

// keepAnnouncing is the one place that presence is sent from: who is told last
// is told the newest state.
func (r *Room) keepAnnouncing(ctx context.Context) {
	scan := time.NewTicker(scanEvery)
	defer scan.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-scan.C:
			r.scan(time.Now())
		case <-r.wake:
		}
		r.announce(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-time.After(restBetween):
		}
	}
}

// scan notices devices that fell silent, or were heard again.
func (r *Room) scan(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.names {
		if d.home != "" { // who looks after it there
			continue
		}
		state := signal.StateLive
		if now.Sub(d.session.lastHeard()) > liveFor {
			state = signal.StateReachable
		}
		if d.setState(state, now) {
			r.changedLocked(d)
		}
	}
}

// news is what one announcement tells, collected under the lock and sent without it.
type news struct {
	full    []signal.Device // for newcomers
	changed []signal.Device // for the others
	fresh   []*Viewer
	known   []*Viewer
	states  []stateNews
}

type stateNews struct {
	conn   *Conn
	device signal.Device
}

func (r *Room) announce(now time.Time) {
	n := r.collect(now)
	sortDevices(n.full)
	list(n.fresh, n.full, true)
	if len(n.changed) > 0 {
		list(n.known, n.changed, false)
	}
	for _, s := range n.states {
		Tell(s.conn.viewer.link, s.conn.number, signal.Message{Type: signal.State, Device: object(s.device)})
	}
}

func (r *Room) collect(now time.Time) (n news) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for v, served := range r.watchers {
		if served {
			n.known = append(n.known, v)
			continue
		}
		n.fresh = append(n.fresh, v)
		r.watchers[v] = true
	}
	if len(n.fresh) > 0 {
		n.full = r.listLocked(now)
	}
	for d := range r.changed {
		p := d.presence(now)
		n.changed = append(n.changed, p)
		for c := range d.watching {
			if !c.viewer.trunk { // another server tells its own
				n.states = append(n.states, stateNews{c, p})
			}
		}
	}
	clear(r.changed)
	return n
}

// list tells viewers of devices, in as many signals as it takes.
func list(to []*Viewer, devices []signal.Device, full bool) {
	for len(to) > 0 {
		part := firstPart(devices)
		body, err := signal.Message{Type: signal.Devices, Full: full, Devices: devices[:part]}.Append(nil)
		if err != nil { // strings and numbers always encode
			return
		}
		f := frameOf(0, body)
		for _, v := range to {
			deliver(v.link, f)
		}
		devices, full = devices[part:], false
		if len(devices) == 0 {
			return
		}
	}
}

// firstPart is how many devices fit into one signal.
func firstPart(devices []signal.Device) int {
	bytes := 0
	for i, d := range devices {
		data, err := json.Marshal(d)
		if bytes += len(data) + 1; i > 0 && (err != nil || bytes > describeFrameBytes) {
			return i
		}
	}
	return len(devices)
}

// checkGreeted: a Conn was told of its device as that was a moment ago. What has
// become of it since may have been announced before that, and is told once more.
func (r *Room) checkGreeted(c *Conn, told signal.Device) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := c.device
	if d.watching[c] && (d.state != told.State || d.number != told.Session) {
		r.changed[d] = true
		r.poke()
	}
}

func (r *Room) watch(v *Viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if served, known := r.watchers[v]; !known || served {
		r.watchers[v] = false
		r.poke()
	}
}

func (r *Room) unwatch(v *Viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.watchers, v)
}

// Count says how many devices are in each state, for metrics.
func (r *Room) Count() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := map[string]int{signal.StateLive: 0, signal.StateReachable: 0, signal.StateOffline: 0}
	for _, d := range r.devices {
		n[d.state]++
	}
	return n
}

// Silence is the longest time since a linked device was heard.
func (r *Room) Silence(now time.Time) (longest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.names {
		if d.home == "" {
			longest = max(longest, now.Sub(d.session.lastHeard()))
		}
	}
	return longest
}
