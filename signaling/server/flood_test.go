package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// unlimited lets one link send as fast as this machine can: the queues behind it are what is tested.
var unlimited = Limits{ViewerBytesPerSecond: 1 << 30, DeviceBytesPerSecond: 1 << 30}

// flood sends signals with a kilobyte of filling to a Conn, more than any queue holds.
func flood(l *link, conn uint64) {
	body := []byte(`{"type":"candidate","attempt":1,"candidate":"` + strings.Repeat("x", 1000) + `"}`)
	floodOf(l, wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: conn}, body))
}

func floodOf(l *link, frame []byte) {
	for range 8_000 {
		for !l.c.Send(signalClass(frame)) {
			select {
			case <-l.over:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}
}

// keepAlive says something now and then, or the link would be cut as silent while others flood.
func (l *link) keepAlive(t *testing.T) {
	ctx := t.Context()
	go func() {
		for ctx.Err() == nil {
			l.raw(wire.TypeProbe, wire.Hop{}, []byte{1, 0, 1})
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
}

// drain reads what has queued up, so that the link can go on.
func (l *link) drain() {
	for quiet := time.After(time.Second); ; {
		select {
		case f := <-l.in:
			if f.Type != wire.TypeEcho {
				quiet = time.After(300 * time.Millisecond)
			}
		case <-quiet:
			return
		}
	}
}

// TestViewerCannotCutDevice: a device that reads slowly is not cut by a viewer
// that sends it more than it can read, and serves another viewer afterwards.
func TestViewerCannotCutDevice(t *testing.T) {
	s := start(t, Config{Limits: unlimited})
	d := s.device(t, newKey(t), "rig", func(m *signal.Message) { m.KeepAliveMS = 60_000 })
	v := s.viewer(t, "rig")
	d.accept(1)
	flood(v, 1) // d reads no more than its test's channel holds
	d.drain()
	w := s.viewer(t, "rig")
	d.accept(1)
	d.publish(wire.Hop{}, 1, 1, "on")
	if _, payload, _ := w.nextData(); payload != "on" {
		t.Fatalf("the other viewer got %q", payload)
	}
	s.expectDrops(t)
}

// TestViewerCannotDrownOthers: what another viewer has acknowledged reaches a
// device that reads slowly, whatever a third one sends it.
func TestViewerCannotDrownOthers(t *testing.T) {
	s := start(t, Config{Limits: unlimited})
	d := s.device(t, newKey(t), "rig", func(m *signal.Message) { m.KeepAliveMS = 60_000 })
	evil := s.viewer(t, "rig")
	d.accept(1)
	good := s.viewer(t, "rig")
	conn, _ := d.accept(1)
	good.keepAlive(t)
	junk := wire.AppendFrame(nil, wire.TypeAck, wire.Hop{Conn: 1}, make([]byte, 1000))
	floodOf(evil, junk)
	good.raw(wire.TypeAck, wire.Hop{Conn: 1}, []byte("good"))
	const mine = 77 // by which the answer to this probe is told from those to keep alives
	good.raw(wire.TypeProbe, wire.Hop{}, []byte{mine, 0, 1})
	good.next("echo", func(f frame) bool { return f.Type == wire.TypeEcho && f.Body[0] == mine }) // the server has it
	floodOf(evil, junk)
	d.next("acknowledgement", func(f frame) bool { return f.Type == wire.TypeAck && f.Hop.Conn == conn })
	s.expectDrops(t)
}

// TestFloodDelaysNoCommand: of a device that reads slowly a viewer's signals keep neither an operator's stop away, nor another viewer's open.
func TestFloodDelaysNoCommand(t *testing.T) {
	const queued = 256 << 10                                                                                                     // half of a lane
	for rung, underWay := range map[ladder.Rung]int64{ladder.WS: 192 << 10, ladder.SSE: 192 << 10, ladder.RelayUDP: 640 << 10} { // SCTP has buffers, too
		t.Run(rung.String(), func(t *testing.T) {
			s := start(t, Config{Limits: unlimited})
			header := http.Header{"Authorization": {"Bearer " + s.token(t, auth.Device)}}
			key := newKey(t)
			d := runLink(t, s.open(t, rung, header)).hello(key, "rig").joined(key)
			evil := s.viewer(t, "rig")
			d.accept(1)
			operator := s.dial(t, auth.Operator, nil)
			operator.signal(1, openSignal("rig"))
			conn, _ := d.accept(1)

			goOn := d.pause()
			padded := []byte(`{"type":"candidate","attempt":1,"candidate":"","padding":"` + strings.Repeat("x", 50_000) + `"}`)
			for range 200 {
				evil.sendAll(wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: 1}, padded))
			}
			evil.settle()
			w := s.viewer(t, "rig")
			w.settle()
			operator.raw(wire.TypeCommand, wire.Hop{Conn: 1}, []byte(`{"type":"stop","id":"now"}`))
			operator.settle()

			before := d.read.Load()
			goOn()
			d.next("the stop", func(f frame) bool { return f.Type == wire.TypeCommand && f.Hop.Conn == conn })
			if read := d.read.Load() - before; read > underWay {
				t.Errorf("the device read %d bytes before the stop, more than %d", read, underWay)
			}
			d.nextSignal(signal.Open)
			if read := d.read.Load() - before; read > underWay+queued {
				t.Errorf("the device read %d bytes before the other viewer's open, more than %d", read, underWay+queued)
			}
			s.expectDrops(t)
		})
	}
}

// TestAllQueuesAreBounded: together, and who reads least is who goes.
func TestAllQueuesAreBounded(t *testing.T) {
	s := start(t, Config{Limits: unlimited}, func(s *Server) { s.maxQueued = 2 << 20 })
	d := s.device(t, newKey(t), "rig")
	var conns []uint64
	var viewers []*link
	var goOn []func()
	for range 3 {
		v := s.viewer(t, "rig")
		v.keepAlive(t)
		conn, _ := d.accept(1)
		v.nextSignal(signal.Accept)
		viewers, conns, goOn = append(viewers, v), append(conns, conn), append(goOn, v.pause())
	}
	body := []byte(`{"type":"candidate","attempt":1,"candidate":"","padding":"` + strings.Repeat("x", 50_000) + `"}`)
	for i, times := range []int{250, 10, 10} { // the kernel takes some of it
		for range times {
			d.sendAll(wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: conns[i]}, body))
		}
	}
	d.settle()
	s.waitFor(t, "one link to be closed", func() bool { return len(s.clients.all()) == 3 })
	time.Sleep(3 * shedEvery)
	for _, reads := range goOn {
		reads()
	}
	<-viewers[0].over
	for _, v := range viewers[1:] {
		v.settle()
	}
}

// sendAll sends a frame as soon as there is room for it.
func (l *link) sendAll(frame []byte) {
	for !l.c.Send(signalClass(frame)) {
		time.Sleep(time.Millisecond)
	}
}

// settle waits until the server has taken what was sent.
func (l *link) settle() {
	l.t.Helper()
	const mine = 78
	l.raw(wire.TypeProbe, wire.Hop{}, []byte{mine, 0, 1})
	l.next("echo", func(f frame) bool { return f.Type == wire.TypeEcho && f.Body[0] == mine })
}

// TestDeviceCannotCutViewer: nor is a viewer by one of the devices it watches.
func TestDeviceCannotCutViewer(t *testing.T) {
	s := start(t, Config{Limits: unlimited})
	keepAlive := func(m *signal.Message) { m.KeepAliveMS = 60_000 }
	evil := s.device(t, newKey(t), "evil", keepAlive)
	good := s.device(t, newKey(t), "good", keepAlive)
	v := s.viewer(t, "evil")
	conn, _ := evil.accept(1)
	v.signal(2, openSignal("good"))
	good.accept(1)
	v.keepAlive(t)
	flood(evil.link, conn)
	v.drain()
	good.publish(wire.Hop{}, 1, 1, "on")
	if _, payload, f := v.nextData(); payload != "on" || f.Hop.Conn != 2 {
		t.Fatalf("the viewer got %q on conn %d", payload, f.Hop.Conn)
	}
	s.expectDrops(t)
}

func (r *running) expectDrops(t *testing.T) {
	t.Helper()
	if _, stats := r.counts.snapshot(r.clients.all()); stats.Drops.Total() == 0 {
		t.Error("nothing was dropped, or it was not counted")
	}
}

// TestFloodOfOpens: who asks for ten thousand devices that are not there slows
// down nobody but itself, and is told.
func TestFloodOfOpens(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	evil := s.dial(t, auth.Viewer, nil)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for i := range 10_000 {
			body := fmt.Sprintf(`{"type":"open","device":"nobody-%d","id":%q}`, i, uuid.NewString())
			for !evil.c.Send(signalClass(wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: uint64(i + 1)}, []byte(body)))) {
				select {
				case <-evil.over:
					return
				case <-time.After(time.Millisecond):
				}
			}
		}
	}()
	evil.next("rate-limited", func(f frame) bool { return strings.Contains(string(f.Body), `"code":"rate-limited"`) })
	for range 10 {
		began := time.Now()
		v := s.viewer(t, "rig")
		d.accept(1)
		v.cut()
		if took := time.Since(began); took > patience/4 {
			t.Fatalf("another viewer needed %v", took)
		}
	}
	evil.cut()
	<-over
}

// TestThousandsOfIdleConnections: those that say nothing keep nobody out for longer than headers may take.
func TestThousandsOfIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("opens two thousand sockets")
	}
	s := start(t, Config{})
	for range 2000 {
		conn := s.idle(t)
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost:")
	}
	began := time.Now()
	s.dial(t, auth.Viewer, http.Header{}).nextSignal(signal.Welcome)
	if took := time.Since(began); took > patience/2 {
		t.Errorf("a viewer waited %v among idle connections", took)
	}
	for end := time.Now().Add(headerTime + patience); s.gate.count() > 1; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d idle connections are still open", s.gate.count())
		}
	}
}

// TestConnectionsBeyondLimitsAreCounted: they are closed at once, and their number is known.
func TestConnectionsBeyondLimitsAreCounted(t *testing.T) {
	s := start(t, Config{Admin: "127.0.0.1:0", Limits: Limits{Connections: 4}})
	for range 4 + spare {
		s.idle(t)
	}
	for range 3 {
		conn := s.idle(t)
		conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a connection too many: %v", err)
		}
	}
	admin := &running{url: "http://" + s.AdminAddr().String()}
	if _, got, _ := admin.ask(t, "GET", "/metrics", ""); !strings.Contains(got["text"].(string), `telepath_refused_total{code="too-many"} 3`) {
		t.Error("they are not counted")
	}
}

// idle opens a connection that is closed with the test.
func (r *running) idle(t *testing.T) idle {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return idle{conn}
}

// idle is a connection on which a test says what it likes.
type idle struct{ net.Conn }

// asks sends a request, reads the beginning of its answer and keeps the connection.
func (c idle) asks(t *testing.T, request string) {
	t.Helper()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}
