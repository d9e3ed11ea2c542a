package server

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// externalNATS starts a NATS server on a port of its own.
func externalNATS(t *testing.T) string {
	t.Helper()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	return ns.ClientURL()
}

// pair is two servers on one bus that know of one another.
func pair(t *testing.T) (a, b *running) {
	t.Helper()
	url := externalNATS(t)
	return start(t, Config{NATS: url, Name: "a"}), start(t, Config{NATS: url, Name: "b"})
}

// live waits until a server shows a device as live.
func (r *running) live(t *testing.T, name string) signal.Device {
	t.Helper()
	var found signal.Device
	r.waitFor(t, name+" to be live", func() bool {
		for _, d := range r.room.Devices() {
			if d.Name == name && d.State == signal.StateLive {
				found = d
				return true
			}
		}
		return false
	})
	return found
}

// TestTwoServers: a device on one, viewers on the other.
func TestTwoServers(t *testing.T) {
	a, b := pair(t)
	d := a.device(t, newKey(t), "rig")
	d.publish(wire.Hop{Store: true}, 1, 41, "kept")
	if p := b.live(t, "rig"); p.ID != d.id || p.Session != d.session {
		t.Fatalf("the other server shows %+v", p)
	}
	v := b.viewer(t, "rig")
	opened, f := v.nextSignal(signal.Opened)
	if p := presenceOf(t, opened); p.ID != d.id || p.State != signal.StateLive || f.Hop.Conn != 1 {
		t.Fatalf("opened: %+v", p)
	}
	described, _ := v.nextSignal(signal.Describe)
	if len(described.Streams) != 2 {
		t.Fatalf("described: %+v", described)
	}
	if _, payload, f := v.nextData(); payload != "kept" || !f.Hop.Retained {
		t.Fatalf("retained: %q", payload)
	}
	first, open := d.accept(1)
	if open.Role != "viewer" {
		t.Fatalf("role %q", open.Role)
	}
	w := b.viewer(t, d.id)
	second, _ := d.accept(1, 2)
	w.nextSignal(signal.Accept)
	v.nextSignal(signal.Accept)

	before := a.crossed(t)
	d.publish(wire.Hop{}, 1, 42, "shared")
	for _, l := range []*link{v, w} {
		if _, payload, f := l.nextDataBut("kept"); payload != "shared" || f.Hop.Conn != 1 {
			t.Fatalf("shared: %q on conn %d", payload, f.Hop.Conn)
		}
	}
	a.waitFor(t, "the count, which follows the frame", func() bool { return a.crossed(t) > before })
	if n := a.crossed(t) - before; n != 1 {
		t.Errorf("one shared frame for two viewers was passed on %d times", n)
	}
	d.publish(wire.Hop{Conn: second}, 2, 1, "for one")
	if _, payload, _ := w.nextData(); payload != "for one" {
		t.Fatalf("for one: %q", payload)
	}
	v.raw(wire.TypeAck, wire.Hop{Conn: 1}, wire.AppendAck(nil, 0, nil))
	if f := d.next("ack", func(f frame) bool { return f.Type == wire.TypeAck }); f.Hop.Conn != first {
		t.Fatalf("ack on conn %d, not %d", f.Hop.Conn, first)
	}
	w.cut()
	if _, f := d.nextSignal(signal.Away); f.Hop.Conn != second {
		t.Fatalf("away for conn %d", f.Hop.Conn)
	}
	d.cut()
	v.nextOffline()
}

// crossed counts frames that a server passed on.
func (r *running) crossed(t *testing.T) uint64 {
	t.Helper()
	return r.room.Counters().Frames.Load()
}

func (l *link) nextOffline() {
	l.t.Helper()
	for {
		state, _ := l.nextSignal(signal.State)
		if presenceOf(l.t, state).State == signal.StateOffline {
			return
		}
	}
}

// TestDeviceMovesToOtherServer: the same key takes over across servers, a name
// that is online elsewhere is refused, and viewers find the device again.
func TestDeviceMovesToOtherServer(t *testing.T) {
	a, b := pair(t)
	d := a.device(t, newKey(t), "rig")
	b.live(t, "rig")
	if no, _ := b.hello(t, newKey(t), "rig").nextSignal(signal.Refuse); no.Code != "name-taken" {
		t.Fatalf("another key under the name: %+v", no)
	}
	v := b.viewer(t, "rig")
	d.accept(1)
	moved := b.device(t, d.key, "rig")
	if code := d.ended(); code != "taken-over" || moved.session <= d.session {
		t.Fatalf("the older link ended with %s; sessions %d, %d", code, d.session, moved.session)
	}
	for {
		state, _ := v.nextSignal(signal.State)
		if p := presenceOf(t, state); p.Session == moved.session && p.State == signal.StateLive {
			break
		}
	}
	v.signal(1, openSignal("rig"))
	moved.accept(1)
	a.waitFor(t, "the first server to know", func() bool { return a.room.Devices()[0].Session == moved.session })
	a.viewer(t, "rig").nextSignal(signal.Opened)
	moved.accept(1)
}

// TestServerDies: its devices are offline for the others within seconds, and
// back when it is.
func TestServerDies(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as a server may be silent")
	}
	url := externalNATS(t)
	dir := t.TempDir()
	a, b := start(t, Config{NATS: url, Data: dir}), start(t, Config{NATS: url})
	d := a.device(t, newKey(t), "rig")
	b.live(t, "rig")
	v := b.viewer(t, "rig")
	d.accept(1)
	a.stop()
	v.nextOffline()
	again := start(t, Config{NATS: url, Data: dir})
	if list := again.room.Devices(); len(list) != 1 || list[0].ID != d.id {
		t.Fatalf("after its restart it knows %+v", list)
	}
	back := again.device(t, d.key, "rig")
	b.live(t, "rig")
	v.signal(1, openSignal("rig"))
	back.accept(1)
	time.Sleep(10 * time.Millisecond)
}

// nextDataBut is the next data frame that has another payload.
func (l *link) nextDataBut(skip string) (wire.Header, string, frame) {
	l.t.Helper()
	for {
		if h, payload, f := l.nextData(); payload != skip {
			return h, payload, f
		}
	}
}
