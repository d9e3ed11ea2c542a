package server

import (
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

func will(stream uint32, payload string) signal.Will {
	h := wire.Header{Class: wire.Event, Stream: stream, Epoch: 99, Seq: 1, Count: 1, Will: true}
	body := append(wire.AppendHeader(nil, h), payload...)
	framed := wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, body)
	_, rest, err := wire.Uvarint(framed) // wills come without the length
	if err != nil {
		panic(err)
	}
	return signal.Will{Frame: rest}
}

// watch returns a viewer that has got the full list.
func (r *running) watch(t *testing.T) (*link, signal.Message) {
	t.Helper()
	v := r.dial(t, auth.Viewer, nil)
	v.signal(0, signal.Message{Type: signal.Watch})
	full, _ := v.nextSignal(signal.Devices)
	if !full.Full {
		t.Fatal("the first list is not full")
	}
	return v, full
}

func (l *link) nextPresence(state string) (signal.Device, frame) {
	l.t.Helper()
	for {
		m, f := l.nextSignal(signal.Devices)
		for _, d := range m.Devices {
			if d.State == state {
				return d, f
			}
		}
	}
}

// TestPresence: online within one round trip, offline at once after a cut
// connection, with the time it happened.
func TestPresence(t *testing.T) {
	s := start(t, Config{})
	v, full := s.watch(t)
	if len(full.Devices) != 0 {
		t.Fatalf("devices before any: %+v", full.Devices)
	}
	d := s.device(t, newKey(t), "rig")
	online, _ := v.nextPresence(signal.StateLive)
	if online.ID != d.id || online.Session != d.session || online.Facts["os"] != "test" {
		t.Fatalf("online: %+v", online)
	}
	before := time.Now()
	d.cut()
	gone, f := v.nextPresence(signal.StateOffline)
	if late := f.at.Sub(before); late > 2*time.Second {
		t.Errorf("offline was told %v after the cut", late)
	}
	if since := time.UnixMilli(int64(gone.Since * 1000)); since.Before(before.Add(-time.Second)) || since.After(time.Now()) {
		t.Errorf("offline since %v, cut at %v", since, before)
	}
}

// TestSilentDeviceIsGone: a link that is there but says nothing ends after 1.5
// keep alives, and is known as gone within half a second more.
func TestSilentDeviceIsGone(t *testing.T) {
	s := start(t, Config{})
	v, _ := s.watch(t)
	const keepAlive = 400 * time.Millisecond
	d := s.device(t, newKey(t), "rig", func(m *signal.Message) {
		m.KeepAliveMS = uint64(keepAlive.Milliseconds())
		m.Wills = []signal.Will{will(2, "gone")}
	})
	w := s.viewer(t, "rig")
	d.accept(1)
	heard := time.Now()
	_, f := v.nextPresence(signal.StateOffline)
	silent := f.at.Sub(heard)
	if silent < keepAlive || silent > keepAlive*3/2+500*time.Millisecond {
		t.Errorf("declared gone after %v of silence, keep alive %v", silent, keepAlive)
	}
	if _, payload, _ := w.nextData(); payload != "gone" {
		t.Errorf("the will is %q", payload)
	}
	if code := d.ended(); code != "silent" {
		t.Errorf("the device was told %s", code)
	}
}

func TestServerKeepsLinkAlive(t *testing.T) {
	s := start(t, Config{})
	const keepAlive = 150 * time.Millisecond
	d := s.device(t, newKey(t), "rig", func(m *signal.Message) { m.KeepAliveMS = uint64(keepAlive.Milliseconds()) })
	sent, began := d.c.Stats().Received.Packets, time.Now()
	for range 12 { // a device that only probes stays linked, and is sent something too
		d.raw(wire.TypeProbe, wire.Hop{}, []byte{1, 0, 1})
		time.Sleep(keepAlive / 3)
	}
	select {
	case <-d.over:
		t.Fatalf("the link ended: %v", d.err)
	default:
	}
	if d.c.Stats().Received.Packets <= sent {
		t.Fatal("nothing came from the server")
	}
	d.raw(wire.TypeProbe, wire.Hop{}, []byte{1, 0, 1})
	d.next("echo", func(f frame) bool { return f.Type == wire.TypeEcho })
	if silent := s.room.Silence(time.Now()); silent > time.Since(began)/2 {
		t.Errorf("a device that probes was not heard for %v", silent) // it would turn reachable though it is live
	}
}

func TestWillOnCut(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig", func(m *signal.Message) { m.Wills = []signal.Will{will(2, "cut!")} })
	d.publish(wire.Hop{Store: true}, 2, 8, "well")
	v := s.viewer(t, "rig")
	d.accept(1) // not routed to stream 2: a will is for everybody
	d.cut()
	f, state := v.willAndState("cut!")
	if h, _, err := wire.ParseData(f.Body); err != nil || !h.Will || h.Epoch != 99 || f.Hop.Conn != 1 {
		t.Fatalf("will: %+v %+v", h, f.Hop)
	}
	if p := presenceOf(t, state); p.State != signal.StateOffline || p.ID != d.id {
		t.Fatalf("state: %+v", p)
	}
	late := s.viewer(t, "rig")
	if h, payload, f := late.nextData(); payload != "cut!" || !f.Hop.Retained || !h.Will {
		t.Fatalf("who comes later gets %q %+v", payload, f.Hop)
	}
	s.device(t, d.key, "rig") // back with the same epoch: the last value counts again
	after := s.viewer(t, "rig")
	if _, payload, _ := after.nextData(); payload != "well" {
		t.Fatalf("after the return: %q", payload)
	}
}

// willAndState are what a cut leads to. Signals overtake Events in queues, so
// either may come first.
func (l *link) willAndState(payload string) (will frame, state signal.Message) {
	l.t.Helper()
	for state.Type == "" || will.Body == nil {
		l.next("the will and the state", func(f frame) bool {
			switch f.Type {
			case wire.TypeData:
				if strings.HasSuffix(string(f.Body), payload) {
					will = f
				}
			case wire.TypeSignal:
				if m, err := signal.Parse(f.Body); err == nil && m.Type == signal.State {
					state = m
				}
			}
			return f.Type == wire.TypeData || f.Type == wire.TypeSignal
		})
	}
	return will, state
}

func TestNoWillAfterBye(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig", func(m *signal.Message) { m.Wills = []signal.Will{will(2, "cut!")} })
	v := s.viewer(t, "rig")
	conn, _ := d.accept(1)
	d.signal(0, signal.Message{Type: signal.Bye})
	d.signal(conn, signal.Message{Type: signal.Bye})
	v.nextSignal(signal.Bye)
	d.cut()
	v.next("the end", func(f frame) bool {
		if f.Type == wire.TypeData {
			t.Fatal("a will came after bye")
		}
		m, err := signal.Parse(f.Body)
		return err == nil && m.Type == signal.State
	})
}

// TestRetainedToLateJoiner: with its age, only what was asked for, and cleared
// when the device starts anew and numbers mean others.
func TestRetainedToLateJoiner(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	d.publish(wire.Hop{}, 1, 3, "load")
	d.publish(wire.Hop{}, 2, 1, "line")
	s.waitFor(t, "the values", func() bool { return s.retains(t, "rig", "line") })
	time.Sleep(50 * time.Millisecond)

	v := s.dial(t, auth.Viewer, nil)
	open := openSignal("rig")
	open.Want = []string{"l*"}
	v.signal(1, open)
	var got []frame
	for _, f := range v.greeting() {
		if f.Type == wire.TypeData {
			got = append(got, f)
		}
	}
	if len(got) != 1 || !got[0].Hop.Retained || got[0].Hop.Held < 50 || got[0].Hop.Held > 60_000 {
		t.Fatalf("retained for l*: %+v", got)
	}
	d.signal(0, signal.Message{Type: signal.Describe, Epoch: "00000008", Streams: []signal.Stream{{ID: 1, Name: "other", Class: "live"}}})
	s.waitFor(t, "old values to go", func() bool { return !s.retains(t, "rig", "line") && !s.retains(t, "rig", "load") })
}

func TestStateOfReturningDevice(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := s.viewer(t, "rig")
	d.accept(1)
	d.cut()
	for {
		state, _ := v.nextSignal(signal.State)
		if presenceOf(t, state).State == signal.StateOffline {
			break
		}
	}
	back := s.device(t, d.key, "rig")
	state, _ := v.nextSignal(signal.State)
	if p := presenceOf(t, state); p.State != signal.StateLive || p.Session != back.session || p.Session <= d.session {
		t.Fatalf("state after the return: %+v", p)
	}
}

// TestRestartKeepsLastSeen: a server that is killed knows its devices again.
func TestRestartKeepsLastSeen(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Config{Data: dir})
	d := first.device(t, newKey(t), "rig")
	d.cut()
	first.waitFor(t, "offline", func() bool { return first.Server.room.Count()["offline"] == 1 })
	since := first.Server.room.Devices()[0].Since
	first.stop()

	second := start(t, Config{Data: dir})
	_, full := second.watch(t)
	if len(full.Devices) != 1 || full.Devices[0].ID != d.id || full.Devices[0].Since != since || full.Devices[0].State != signal.StateOffline {
		t.Fatalf("after a restart: %+v, before: since %v", full.Devices, since)
	}
	again := second.device(t, d.key, "rig")
	if again.session <= d.session {
		t.Fatalf("session %d after %d", again.session, d.session)
	}
}

// TestDrain: links are told to come again, and a will is not published for it.
func TestDrain(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig", func(m *signal.Message) { m.Wills = []signal.Will{will(2, "cut!")} })
	v := s.viewer(t, "rig")
	v.nextSignal(signal.Opened)
	s.stop()
	if code := d.ended(); code != "draining" {
		t.Errorf("device: %s", code)
	}
	if code := v.ended(); code != "draining" {
		t.Errorf("viewer: %s", code)
	}
	for len(v.in) > 0 {
		if f := <-v.in; f.Type == wire.TypeData {
			t.Error("a will was published because the server went down")
		}
	}
}
