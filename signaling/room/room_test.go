package room

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLink keeps what it is sent.
type fakeLink struct {
	mu      sync.Mutex
	frames  []wire.Frame
	sources []uint64 // of control frames
	closed  string
	full    bool // takes nothing more
}

func (l *fakeLink) Send(f carrier.Frame) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return false
	}
	opened, _, err := wire.NextFrame(f.Bytes)
	if err != nil {
		panic(err)
	}
	l.frames = append(l.frames, opened)
	if f.Control {
		l.sources = append(l.sources, f.Source)
	}
	return true
}

func (l *fakeLink) Close(code wire.Code, _ string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = code.Name
}

// signals are those of one kind that came so far.
func (l *fakeLink) signals(t *testing.T, kind string) (found []signal.Message) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.frames {
		if f.Type != wire.TypeSignal {
			continue
		}
		m, err := signal.Parse(f.Body)
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == kind {
			found = append(found, m)
		}
	}
	return found
}

func hello(name string, keepAlive time.Duration) Hello {
	return Hello{ID: strings.Repeat("0", 32-len(name)) + name, Name: name, KeepAlive: keepAlive}
}

func join(t *testing.T, r *Room, h Hello) (*Session, *fakeLink) {
	t.Helper()
	link := &fakeLink{}
	s, no := r.Join(h, link)
	if no != nil {
		t.Fatal(no)
	}
	return s, link
}

func signalFrame(t *testing.T, conn uint64, m signal.Message) wire.Frame {
	t.Helper()
	body, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Frame{Type: wire.TypeSignal, Hop: wire.Hop{Conn: conn}, Body: body}
}

// run runs a room in the bubble of a test.
func run(t *testing.T, r *Room) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// TestPresenceTimes: live while heard, reachable after 5 s of silence, live
// again with the next word, and told each time.
func TestPresenceTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{}, nil)
		run(t, r)
		s, _ := join(t, r, hello("rig", 30*time.Second))
		link := &fakeLink{}
		v := r.Enter(link, auth.Viewer, "")
		defer v.Leave()
		v.Handle(signalFrame(t, 0, signal.Message{Type: signal.Watch}), time.Now())
		states := func() (told []string) {
			synctest.Wait()
			for _, m := range link.signals(t, signal.Devices) {
				for _, d := range m.Devices {
					told = append(told, d.State)
				}
			}
			return told
		}
		time.Sleep(liveFor - time.Second)
		if got := states(); len(got) != 1 || got[0] != signal.StateLive {
			t.Fatalf("told %v", got)
		}
		time.Sleep(time.Second + scanEvery + restBetween)
		if got := states(); len(got) != 2 || got[1] != signal.StateReachable {
			t.Fatalf("after silence: told %v", got)
		}
		s.Heard(time.Now())
		time.Sleep(scanEvery + restBetween)
		if got := states(); len(got) != 3 || got[2] != signal.StateLive {
			t.Fatalf("after a word: told %v", got)
		}
		s.End(Cut)
		if got := states(); len(got) != 4 || got[3] != signal.StateOffline {
			t.Fatalf("after the cut, at once: told %v", got)
		}
	})
}

// TestFleetComesBack: many changes are told in few signals, none larger than a signal may be.
func TestFleetComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{}, nil)
		run(t, r)
		link := &fakeLink{}
		v := r.Enter(link, auth.Viewer, "")
		defer v.Leave()
		v.Handle(signalFrame(t, 0, signal.Message{Type: signal.Watch}), time.Now())
		synctest.Wait()
		time.Sleep(time.Second)
		const fleet = 1000
		for i := range fleet {
			h := hello("d"+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10)), time.Minute)
			h.Facts = map[string]string{"model": strings.Repeat("m", maxFact), "host": strings.Repeat("<", maxFact)}
			join(t, r, h)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		messages, told := link.signals(t, signal.Devices), map[string]bool{}
		for _, m := range messages {
			for _, d := range m.Devices {
				told[d.ID] = true
			}
		}
		if len(told) != fleet {
			t.Errorf("%d of %d devices were told", len(told), fleet)
		}
		if len(messages) > fleet/10 {
			t.Errorf("%d signals for %d devices", len(messages), fleet)
		}
		for _, f := range link.frames {
			if len(f.Body) > wire.MaxSignal {
				t.Errorf("a signal of %d bytes", len(f.Body))
			}
		}
	})
}

// memory is a Store.
type memory struct {
	mu   sync.Mutex
	kept map[string]Record
	fail bool
}

func (m *memory) Put(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail {
		return errors.New("disk full")
	}
	rec, err := ParseRecord(value)
	m.kept[key] = rec
	return err
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, key)
	return nil
}

func (m *memory) get(id string) (Record, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, ok := m.kept[id]
	return rec, ok
}

// TestLastSeenIsKept: also through a time when the store fails, and when the
// server is killed without a word.
func TestLastSeenIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{kept: map[string]Record{}}
		r := New(Config{Store: store}, nil)
		run(t, r)
		store.fail = true
		s, _ := join(t, r, hello("rig", time.Minute))
		time.Sleep(time.Second)
		if _, ok := store.get(s.ID()); ok {
			t.Fatal("a store that fails has kept something")
		}
		store.mu.Lock()
		store.fail = false
		store.mu.Unlock()
		time.Sleep(heardEvery)
		s.Heard(time.Now())
		time.Sleep(heardEvery + saveEvery)
		rec, ok := store.get(s.ID())
		if !ok || rec.State != signal.StateReachable || time.Since(time.UnixMilli(rec.HeardMS)) > 2*heardEvery {
			t.Fatalf("kept %+v %v", rec, ok)
		}
		killed := New(Config{}, []Record{rec})
		d := killed.Devices()[0]
		if d.State != signal.StateOffline || d.Since*1000 != float64(rec.HeardMS) || d.Name != "rig" {
			t.Fatalf("after a kill: %+v", d)
		}
		s.End(Cut)
		time.Sleep(time.Second)
		setFail := func(fail bool) {
			store.mu.Lock()
			defer store.mu.Unlock()
			store.fail = fail
		}
		setFail(true)
		if no := r.Remove(s.ID()); no != nil {
			t.Fatal(no)
		}
		time.Sleep(time.Second)
		setFail(false)
		time.Sleep(time.Second)
		if _, ok := store.get(s.ID()); ok {
			t.Fatal("a removed device is kept")
		}
	})
}

// TestARemovedDeviceMayComeBack: who had it open is told that it is gone, and so asks for it until it is there again.
func TestARemovedDeviceMayComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, remove := range map[string]func(r *Room, id string){
			"here":         func(r *Room, id string) { _ = r.Remove(id) },
			"at another's": func(r *Room, id string) { r.Forget(id) },
		} {
			r := New(Config{}, nil)
			s, _ := join(t, r, hello("rig", time.Minute))
			link := &fakeLink{}
			v := r.Enter(link, auth.Viewer, "")
			open := signalFrame(t, 1, openMessage("rig"))
			v.Handle(open, time.Now())
			s.End(Cut)
			remove(r, s.ID())
			if no := link.signals(t, signal.Refused); len(no) != 1 || no[0].Code != "unknown-device" || no[0].Remedy == "" {
				t.Errorf("%s: its viewer was told %+v", name, no)
			}
			_, device := join(t, r, hello("rig", time.Minute))
			v.Handle(open, time.Now())
			if len(device.signals(t, signal.Open)) != 1 {
				t.Errorf("%s: it is back, and was not opened", name)
			}
			v.Leave()
		}
	})
}

// TestAClockThatIsSetIsNoSilence: when a device was heard is known by the clock that nobody sets.
func TestAClockThatIsSetIsNoSilence(t *testing.T) {
	r := New(Config{}, nil)
	s, _ := join(t, r, hello("rig", time.Minute))
	s.Heard(time.Now())
	if heard := s.lastHeard(); !strings.Contains(heard.String(), " m=") {
		t.Errorf("heard at %v, by the wall's clock alone", heard)
	}
	for _, at := range []time.Time{{}, time.UnixMilli(5), time.UnixMilli(1e15)} {
		if ms := unixMilli(at, time.Now()); ms != at.UnixMilli() {
			t.Errorf("%v is %d ms, want %d", at, ms, at.UnixMilli())
		}
	}
}

// TestFencedSessionHasNoEffect: whatever the older link says after a take-over.
// TestDeviceDoesNotSpeakAsTheServer: not by a signal either that a browser takes for another one than the server does.
func TestDeviceDoesNotSpeakAsTheServer(t *testing.T) {
	r := New(Config{}, nil)
	s, _ := join(t, r, hello("rig", time.Minute))
	link := &fakeLink{}
	v := r.Enter(link, auth.Viewer, "")
	defer v.Leave()
	v.Handle(signalFrame(t, 1, openMessage("rig")), time.Now())
	had := len(link.frames)
	for _, body := range []string{
		`{"type":"opened","device":{"id":"00ff","name":"pump","state":"live"}}`,
		`{"type":"opened","device":{"id":"00ff","name":"pump","state":"live"},"servers":[{"urls":["turn:10.0.0.5:8081?transport=tcp"]}],"Type":"candidate"}`,
		`{"type":"state","type":"candidate","device":{"id":"00ff","name":"pump","state":"live"}}`,
	} {
		f := wire.Frame{Type: wire.TypeSignal, Hop: wire.Hop{Conn: 1}, Body: []byte(body)}
		if no := s.Handle(f, time.Now()); no == nil || no.Code != "malformed" {
			t.Errorf("%s: %v", body, no)
		}
	}
	if len(link.frames) != had {
		t.Errorf("the viewer was told %s", link.frames[had].Body)
	}
}

func TestFencedSessionHasNoEffect(t *testing.T) {
	r := New(Config{}, nil)
	old, oldLink := join(t, r, hello("rig", time.Minute))
	fresh, _ := join(t, r, hello("rig", time.Minute))
	if oldLink.closed != "taken-over" || fresh.Number() <= old.Number() {
		t.Fatalf("older link: %q; sessions %d, %d", oldLink.closed, old.Number(), fresh.Number())
	}
	describe := signal.Message{Type: signal.Describe, Epoch: "00000001", Streams: []signal.Stream{{ID: 1, Name: "old", Class: "live"}}}
	old.Handle(signalFrame(t, 0, describe), time.Now())
	if fresh.device.description.knows(1) {
		t.Error("the older session described a stream")
	}
	old.End(Cut)
	if r.Devices()[0].State != signal.StateLive {
		t.Error("the older session's end took the device offline")
	}
}

// TestHelloOvertaken: a device that moves says hello twice. The one that was said first and comes last takes nothing over.
func TestHelloOvertaken(t *testing.T) {
	r := New(Config{}, nil)
	said := func(epoch string, n uint64) Hello {
		h := hello("rig", time.Minute)
		h.Epoch, h.Hellos = epoch, n
		return h
	}
	present, link := join(t, r, said("00000001", 2))
	if _, no := r.Join(said("00000001", 1), &fakeLink{}); no == nil || no.Code != "taken-over" || link.closed != "" {
		t.Errorf("an older hello: %v; the link in use: %q", no, link.closed)
	}
	if d := r.Devices()[0]; d.State != signal.StateLive || d.Session != present.Number() {
		t.Errorf("the device is %s in session %d, not %d", d.State, d.Session, present.Number())
	}
	for i, h := range []Hello{said("00000001", 3), said("00000002", 1), said("", 0)} {
		if _, no := r.Join(h, &fakeLink{}); no != nil {
			t.Errorf("newer hello %d: %v", i+1, no)
		}
	}
}

// TestWelcomeComesFirst: a viewer who asks for the device all the time is not heard before it.
func TestWelcomeComesFirst(t *testing.T) {
	r := New(Config{}, nil)
	first, _ := join(t, r, hello("rig", time.Minute))
	first.End(Cut)
	v := r.Enter(&fakeLink{}, auth.Viewer, "")
	defer v.Leave()
	asking, stop := context.WithCancel(t.Context())
	var asks sync.WaitGroup
	asks.Go(func() {
		for ask := openMessage("rig"); asking.Err() == nil; {
			v.Open(1, ask, signalFrame(t, 1, ask).Body)
		}
	})
	for range 300 {
		s, link := join(t, r, hello("rig", time.Minute))
		link.mu.Lock()
		m, err := signal.Parse(link.frames[0].Body)
		link.mu.Unlock()
		if err != nil || m.Type != signal.Welcome || m.Session != s.Number() || string(m.Device) != `"`+s.ID()+`"` {
			t.Errorf("first came %+v, %v", m, err)
		}
		s.End(Cut)
	}
	stop()
	asks.Wait()
}

// lateLink is a viewer's link at which something else happens before the first frame is taken.
type lateLink struct {
	fakeLink
	before func()
	once   atomic.Bool
}

func (l *lateLink) Send(f carrier.Frame) bool {
	if !l.once.Swap(true) {
		l.before()
	}
	return l.fakeLink.Send(f)
}

// TestNewestPresenceComesLast: a device joins while a viewer is being told that it is offline, and is announced before that is said.
func TestNewestPresenceComesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{}, nil)
		run(t, r)
		first, _ := join(t, r, hello("rig", time.Minute))
		first.End(Cut)
		time.Sleep(time.Second)
		link := &lateLink{before: func() {
			join(t, r, hello("rig", time.Minute))
			time.Sleep(time.Second)
		}}
		v := r.Enter(link, auth.Viewer, "")
		defer v.Leave()
		ask := openMessage("rig")
		v.Open(1, ask, signalFrame(t, 1, ask).Body)
		time.Sleep(time.Second)
		link.mu.Lock()
		told := link.frames
		link.mu.Unlock()
		last := signal.Device{State: "not told"}
		for _, f := range told {
			m, err := signal.Parse(f.Body)
			if err == nil && (m.Type == signal.Opened || m.Type == signal.State) {
				err = json.Unmarshal(m.Device, &last)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if last.State != signal.StateLive || len(link.signals(t, signal.Opened)) != 1 {
			t.Errorf("the viewer was told last that the device is %s", last.State)
		}
	})
}

// TestControlHasItsSource: all Conns of a viewer are one source at the device's link, and each device is one at a viewer's.
func TestControlHasItsSource(t *testing.T) {
	r := New(Config{}, nil)
	s, device := join(t, r, hello("rig", time.Minute))
	var viewers [2]fakeLink
	for i := range viewers {
		v := r.Enter(&viewers[i], auth.Viewer, "")
		defer v.Leave()
		for conn := range uint64(2) {
			v.Handle(signalFrame(t, conn+1, openMessage("rig")), time.Now())
			v.Handle(wire.Frame{Type: wire.TypeAck, Hop: wire.Hop{Conn: conn + 1}}, time.Now())
		}
	}
	device.mu.Lock()
	from := device.sources
	device.mu.Unlock()
	if len(from) != 4 || from[0] == 0 || from[0] != from[1] || from[2] == 0 || from[2] != from[3] || from[0] == from[2] {
		t.Errorf("acknowledgements have the sources %v", from)
	}
	s.Handle(wire.Frame{Type: wire.TypeAck, Hop: wire.Hop{Conn: 1}}, time.Now())
	if to := viewers[0].sources; len(to) != 1 || to[0] != s.Number() {
		t.Errorf("at the viewer they have %v", to)
	}
}

// TestDeafLinkIsClosed: a viewer that takes no signals any more is not left to guess.
func TestDeafLinkIsClosed(t *testing.T) {
	link := &fakeLink{full: true}
	Tell(link, 0, signal.Message{Type: signal.Devices})
	if link.closed != "timeout" {
		t.Fatalf("closed with %q", link.closed)
	}
}

func openMessage(device string) signal.Message {
	name, err := json.Marshal(device)
	if err != nil {
		panic(err)
	}
	return signal.Message{Type: signal.Open, Device: name, ID: uuid.NewString()}
}

func TestConnLimits(t *testing.T) {
	r := New(Config{MaxDevices: 1}, nil)
	join(t, r, hello("rig", time.Minute))
	if _, no := r.Join(hello("two", time.Minute), &fakeLink{}); no == nil || no.Code != "too-many" || no.Remedy == "" {
		t.Fatalf("a device beyond the limit: %v", no)
	}
	link := &fakeLink{}
	v := r.Enter(link, auth.Viewer, "")
	for n := range uint64(maxConnsPerViewer + 1) {
		v.Handle(signalFrame(t, n+1, openMessage("rig")), time.Now())
	}
	if no := link.signals(t, signal.Refused); len(no) != 1 || no[0].Code != "too-many" {
		t.Fatalf("%d refused", len(no))
	}
	v.Leave()
	if n := len(r.devices[hello("rig", 0).ID].watching); n != 0 {
		t.Fatalf("%d Conns are left", n)
	}
}

// FuzzHandle: whatever comes on a link, nothing panics and nothing forged gets through.
func FuzzHandle(f *testing.F) {
	f.Add([]byte{3, 1, 0, 0x14}, true)
	f.Add(wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: 1}, []byte(`{"type":"route","on":true,"streams":[1]}`)), true)
	f.Add(wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: 1}, []byte(`{"type":"open","device":"rig","id":"x"}`)), false)
	f.Fuzz(func(t *testing.T, packet []byte, device bool) {
		r := New(Config{}, nil)
		s, no := r.Join(hello("rig", time.Minute), &fakeLink{})
		if no != nil {
			t.Fatal(no)
		}
		v := r.Enter(&fakeLink{}, auth.Viewer, "")
		v.Handle(signalFrame(t, 1, openMessage("rig")), time.Now())
		for len(packet) > 0 {
			frame, rest, err := wire.NextFrame(packet)
			if err != nil {
				break
			}
			packet = rest
			if device {
				s.Handle(frame, time.Now())
			} else {
				v.Handle(frame, time.Now())
			}
		}
		v.Leave()
		s.End(Cut)
	})
}
