package room

import (
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/relay"
)

// Viewer is a viewer's link.
type Viewer struct {
	// Set once.
	room  *Room
	link  Link
	id    uint64 // within this server
	role  auth.Role
	host  string    // by which it reached this server; empty: unknown
	trunk bool      // it is another server's link, for many viewers
	until time.Time // when role ends; zero: never
	// misses are opens of devices that are not there: each is a search through all.
	misses  *rate.Limiter
	opens   *rate.Limiter
	watches *rate.Limiter

	mu    sync.Mutex
	conns map[uint64]*Conn // by the viewer's number
	over  bool
}

// How many devices that are not there a viewer may ask for: it repeats an
// open after 1, 2, 4 s, and a page may show a fleet that was removed.
const (
	missesPerSecond = 10
	missesAtOnce    = maxConnsPerViewer
)

// What else a viewer may ask for. An open costs a look-up and a word to the device, and all that is known of it: descriptions and values, up to
// 1.25 MiB. A list costs all devices.
const (
	opensPerSecond = 10
	opensAtOnce    = 4 * maxConnsPerViewer // all that a page may show, when its link is new, when they come back, and when their links are others

	reopensPerSecond = 1 // of one Conn; devices hear no more either
	reopensAtOnce    = 8

	watchesPerSecond = 1
	watchesAtOnce    = 5
)

// Enter makes a viewer of a link. host is where it reached this server, HOST or
// HOST:PORT; empty: unknown. Whoever entered calls Leave when it is over.
func (r *Room) Enter(link Link, role auth.Role, host string) *Viewer {
	return &Viewer{
		room: r, link: link, id: r.viewers.Add(1), role: role, host: host, conns: make(map[uint64]*Conn),
		misses:  rate.NewLimiter(missesPerSecond, missesAtOnce),
		opens:   rate.NewLimiter(opensPerSecond, opensAtOnce),
		watches: rate.NewLimiter(watchesPerSecond, watchesAtOnce),
	}
}

// Until sets when the viewer's role ends; zero: never. It is called before anything else.
func (v *Viewer) Until(end time.Time) { v.until = end }

// good is for how many ms an open's role is good: as the signal member good_ms, nil for ever.
func (v *Viewer) good(m signal.Message) json.RawMessage {
	ms := m.GoodMS // of the viewer behind it
	if !v.trunk {
		ms = 0
		if !v.until.IsZero() {
			ms = uint64(max(time.Until(v.until).Milliseconds(), 1))
		}
	}
	if ms == 0 {
		return nil
	}
	return strconv.AppendUint(nil, ms, 10)
}

// Leave ends the viewer. Its Conns live on in their devices as long as a
// direct path does.
func (v *Viewer) Leave() { v.leave(signal.Away) }

// Expel ends the viewer and all its Conns, because it has no right to them any more.
func (v *Viewer) Expel() { v.leave(signal.Close) }

func (v *Viewer) leave(why string) {
	v.mu.Lock()
	conns := v.conns
	v.conns, v.over = nil, true
	v.mu.Unlock()
	v.room.unwatch(v)
	for _, c := range conns {
		c.end(why)
	}
}

func (v *Viewer) conn(number uint64) *Conn {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.conns[number]
}

// Handle takes one frame from the viewer, except what asks the link itself.
// The error is for the viewer.
func (v *Viewer) Handle(f wire.Frame, now time.Time) *Refusal {
	l, known, err := relay.LabelFrame(f, now)
	switch {
	case err != nil:
		return malformed("frame of type %d: %v", f.Type, err)
	case !known:
		return nil
	case f.Type == wire.TypeSignal:
		return v.signal(f, l)
	case f.Type == wire.TypeData && !v.role.Includes(auth.Operator):
		return &Refusal{Code: "forbidden", Reason: "a viewer may watch, not send data to devices", Remedy: "use an operator's token"}
	case len(f.Body) > wire.MaxData && f.Type == wire.TypeData:
		return tooLarge("Data frame", len(f.Body), wire.MaxData)
	case f.Hop.Conn == 0:
		return nil
	}
	drop, refusal := v.checkCommand(f)
	if !drop && refusal == nil {
		v.toDevice(f, l)
	}
	return refusal
}

func (v *Viewer) toDevice(f wire.Frame, l relay.Label) {
	b := v.binding(f.Hop.Conn)
	if b == nil {
		v.room.counters.NoPath.Add(1)
		return
	}
	l.Source = b.source()
	relay.Forward(b.session.link, f, l, b.number)
	v.room.counters.passed(f)
}

func (v *Viewer) binding(number uint64) *binding {
	c := v.conn(number)
	if c == nil {
		return nil
	}
	return c.bound.Load()
}

func (v *Viewer) signal(f wire.Frame, l relay.Label) *Refusal {
	m, err := signal.Parse(f.Body)
	if err != nil {
		return malformed("%v", err)
	}
	if refusal := checkRTC(m); refusal != nil {
		return refusal
	}
	if f.Hop.Conn == 0 {
		return v.tellServer(m)
	}
	if m.Type == signal.Away && v.trunk { // of a viewer behind it
		v.close(f.Hop.Conn, signal.Away)
		return nil
	}
	switch m.Type {
	case signal.Open:
		v.Open(f.Hop.Conn, m, f.Body)
	case signal.Close:
		v.close(f.Hop.Conn, signal.Close)
	case signal.Away, signal.State, signal.Challenge, signal.Welcome, signal.Refuse, signal.Describe, signal.Route:
		return malformed("a %s does not come from a viewer", m.Type)
	default:
		return v.signalToDevice(f, l)
	}
	return nil
}

// tellServer takes what is for the server itself. A device that was given a
// viewer's token would wait for ever to be asked for something.
func (v *Viewer) tellServer(m signal.Message) *Refusal {
	switch m.Type {
	case signal.Watch:
		if !v.watches.Allow() {
			return &Refusal{Code: "rate-limited", Reason: "this link asks for the list of devices again and again", Remedy: "watch once: changes are told by themselves", Soft: true}
		}
		v.room.watch(v)
	case signal.Servers:
		v.tellServers()
	case signal.Hello, signal.Describe:
		return &Refusal{
			Code: "forbidden", Reason: "the token is a " + string(v.role) + "'s, which watches and cannot publish",
			Remedy: "give the device the token in the server's DIR/tokens/device", Final: true,
		}
	}
	return nil
}

func (v *Viewer) signalToDevice(f wire.Frame, l relay.Label) *Refusal {
	b := v.binding(f.Hop.Conn)
	if b == nil {
		v.room.counters.NoPath.Add(1)
		return nil
	}
	return passToDevice(b, relayed(f, l, b.number))
}

func (v *Viewer) close(number uint64, why string) {
	v.mu.Lock()
	c := v.conns[number]
	delete(v.conns, number)
	v.mu.Unlock()
	if c != nil {
		c.end(why)
	}
}

// relayed is a frame under the number of the link it goes to.
func relayed(f wire.Frame, l relay.Label, number uint64) carrier.Frame {
	hop := f.Hop
	hop.Conn, hop.Store = number, false
	return l.Build(f.Type, hop, f.Body)
}

// checkRTC bounds what is on its way to a WebRTC stack.
func checkRTC(m signal.Message) *Refusal {
	if len(m.Candidate) > wire.MaxCandidate {
		return tooLarge("candidate", len(m.Candidate), wire.MaxCandidate)
	}
	sdp := len(m.SDP)
	if m.Offer != nil {
		sdp = max(sdp, len(m.Offer.SDP))
	}
	if sdp > wire.MaxSDP {
		return tooLarge("SDP", sdp, wire.MaxSDP)
	}
	return nil
}
