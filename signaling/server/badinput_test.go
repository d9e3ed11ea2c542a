package server

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// TestBadFramesHarmNothingElse sends each bad frame in front of a good one: the
// sender is told, and the good one arrives.
func TestBadFramesHarmNothingElse(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := s.viewer(t, "rig")
	conn, _ := d.accept(1, 2)
	deep := `{"type":"describe","streams":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`
	for name, bad := range map[string][]byte{
		"conn number endless":  {3, byte(wire.TypeData), 1, 0x80},
		"header too short":     wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, []byte{0x14}),
		"stream 0":             wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, data(0, 1, "x")),
		"version 2":            wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, append([]byte{0x24}, data(1, 1, "x")[1:]...)),
		"large data":           wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, data(1, 1, strings.Repeat("x", wire.MaxData))),
		"not described":        wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, data(3, 1, "x")),
		"gap backwards":        wire.AppendFrame(nil, wire.TypeGap, wire.Hop{}, wire.AppendGap(nil, wire.Gap{Stream: 2, Epoch: 7, From: 9, To: 3})),
		"no JSON":              signalBytes("{"),
		"no type":              signalBytes("{}"),
		"deep":                 signalBytes(deep),
		"stream name":          signalBytes(`{"type":"describe","epoch":"00000007","streams":[{"id":9,"name":"a\u202eb","class":"live"}]}`),
		"stream class":         signalBytes(`{"type":"describe","epoch":"00000007","streams":[{"id":9,"name":"a","class":"fast"}]}`),
		"stream number":        signalBytes(`{"type":"describe","epoch":"00000007","streams":[{"id":70000,"name":"a","class":"live"}]}`),
		"number of History":    signalBytes(`{"type":"describe","epoch":"00000007","streams":[{"id":65535,"name":"a","class":"live"}]}`),
		"server's word":        wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: conn}, []byte(`{"type":"opened"}`)),
		"long candidate":       wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: conn}, []byte(`{"type":"candidate","candidate":"`+strings.Repeat("x", 1025)+`"}`)),
		"will in the open":     wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, append(wire.AppendHeader(nil, wire.Header{Class: wire.Event, Stream: 2, Epoch: 7, Seq: 1, Count: 1, Will: true}), 'x')),
		"probe without a time": wire.AppendFrame(nil, wire.TypeProbe, wire.Hop{}, []byte{1}),
	} {
		d.c.Send(signalClass(bad))
		no, _ := d.nextSignal(signal.Refuse)
		if no.Reason == "" || no.Remedy == "" || no.Code != "malformed" && no.Code != "too-large" {
			t.Errorf("%s: told %+v", name, no)
		}
		d.publish(wire.Hop{}, 1, 1, name)
		if _, payload, _ := v.nextData(); payload != name {
			t.Errorf("%s: the next frame was %q", name, payload)
		}
		time.Sleep(time.Second / faultReplies) // more often than this nobody is told
	}
}

func signalBytes(body string) []byte {
	return wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{}, []byte(body))
}

// TestUnknownIsSkipped: what a later version may send is no fault.
func TestUnknownIsSkipped(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := s.viewer(t, "rig")
	conn, _ := d.accept(1)
	d.raw(99, wire.Hop{}, []byte("?"))
	d.raw(99, wire.Hop{Conn: conn}, []byte("?"))
	d.raw(wire.TypeSignal, wire.Hop{}, []byte(`{"type":"later","x":1}`))
	d.raw(wire.TypeSignal, wire.Hop{Conn: conn}, []byte(`{"type":"later","x":1}`))
	if later, f := v.nextSignal("later"); f.Hop.Conn != 1 || later.Type != "later" || !strings.Contains(string(f.Body), `"x":1`) {
		t.Fatalf("an unknown signal to a viewer came as %s", f.Body)
	}
	d.raw(wire.TypeData, wire.Hop{Conn: 4711}, data(1, 1, "nobody")) // counted, no fault
	d.publish(wire.Hop{}, 1, 1, "on")
	v.nextData()
	if n := s.Server.room.Counters().NoPath.Load(); n != 1 {
		t.Errorf("%d frames without a path are counted", n)
	}
	if refusals, _ := s.counts.snapshot(nil); len(refusals) != 0 {
		t.Errorf("refused: %v", refusals)
	}
}

func TestNothingButFaultsEndsLink(t *testing.T) {
	s := start(t, Config{Limits: Limits{MalformedBurst: 3}})
	v := s.dial(t, auth.Viewer, nil)
	for range 10 {
		v.raw(wire.TypeSignal, wire.Hop{}, []byte("no"))
	}
	if code := v.ended(); code != "malformed" {
		t.Fatalf("the link ended with %s", code)
	}
	if n := s.metric(t, "malformed"); n < 4 {
		t.Errorf("%d malformed frames are counted", n)
	}
}

func (r *running) metric(t *testing.T, code string) uint64 {
	t.Helper()
	refusals, _ := r.counts.snapshot(nil)
	return refusals[code]
}

// TestDeviceWithViewerToken: an agent that was given the wrong token is told, instead of publishing to nobody.
func TestDeviceWithViewerToken(t *testing.T) {
	s := start(t, Config{})
	for _, role := range []auth.Role{auth.Viewer, auth.Operator, auth.Admin} {
		l := s.dial(t, role, nil)
		l.nextSignal(signal.Welcome)
		l.signal(0, signal.Message{Type: signal.Describe, Epoch: "00000007"})
		if no, _ := l.nextSignal(signal.Refuse); no.Code != "forbidden" || !strings.Contains(no.Remedy, "tokens/device") {
			t.Errorf("%s: told %+v", role, no)
		}
		if code := l.ended(); code != "forbidden" {
			t.Errorf("%s: the link ended with %s", role, code)
		}
	}
}

func TestPacketOverLimitEndsLink(t *testing.T) {
	s := start(t, Config{})
	v := s.dial(t, auth.Viewer, nil)
	w := s.dial(t, auth.Viewer, nil)
	// The queue of the client refuses what is too long; so two that fit become one packet here.
	conn := rawWebSocket(t, s, http.Header{"Authorization": {"Bearer " + s.token(t, auth.Viewer)}})
	conn.write(make([]byte, wire.MaxPacket+1))
	if code := conn.closeCode(); code != wire.CodeByName("too-large").CloseCode() {
		t.Fatalf("close code %d", code)
	}
	for _, l := range []*link{v, w} { // others go on
		l.signal(0, signal.Message{Type: signal.Watch})
		l.nextSignal(signal.Devices)
	}
}

func TestBadOpens(t *testing.T) {
	s := start(t, Config{})
	s.device(t, newKey(t), "rig")
	v := s.dial(t, auth.Viewer, nil)
	ok := fmt.Sprintf(`"id":%q`, uuid.NewString())
	for name, body := range map[string]string{
		"no id":         `{"type":"open","device":"rig"}`,
		"id no UUID":    `{"type":"open","device":"rig","id":"1"}`,
		"no device":     `{"type":"open",` + ok + `}`,
		"device object": `{"type":"open","device":{},` + ok + `}`,
		"many globs":    `{"type":"open","device":"rig",` + ok + `,"want":[` + strings.Repeat(`"*",`, 99) + `"*"]}`,
		"long glob":     `{"type":"open","device":"rig",` + ok + `,"want":["` + strings.Repeat("*", 500) + `"]}`,
	} {
		v.raw(wire.TypeSignal, wire.Hop{Conn: 3}, []byte(body))
		if no, f := v.nextSignal(signal.Refused); f.Hop.Conn != 3 || no.Code == "" || no.Reason == "" {
			t.Errorf("%s: %+v", name, no)
		}
	}
}

// TestViewerMayNotSendData: commands are for operators.
func TestViewerMayNotSendData(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := s.viewer(t, "rig")
	conn, _ := d.accept(1)
	v.raw(wire.TypeData, wire.Hop{Conn: 1}, data(1, 1, "go"))
	if no, _ := v.nextSignal(signal.Refuse); no.Code != "forbidden" {
		t.Fatalf("told %+v", no)
	}
	op := s.dial(t, auth.Operator, nil)
	op.signal(1, openSignal("rig"))
	second, _ := d.accept(1)
	op.raw(wire.TypeData, wire.Hop{Conn: 1}, data(1, 1, "go"))
	if _, payload, f := d.nextData(); payload != "go" || f.Hop.Conn != second || f.Hop.Conn == conn {
		t.Fatalf("the device got %q on conn %d", payload, f.Hop.Conn)
	}
}

// TestSlowViewerHarmsOnlyItself: one viewer reads nothing at all while another
// gets every frame.
func TestSlowViewerHarmsOnlyItself(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	slow := rawWebSocket(t, s, http.Header{
		"Authorization": {"Bearer " + s.token(t, auth.Viewer)},
		"Telepath-Open": {encodedOpen(t, "rig")},
	})
	d.accept(1)
	v := s.viewer(t, "rig")
	d.accept(1)
	payload := strings.Repeat("x", 8000)
	for seq := range uint64(2000) { // 16 MB: more than sockets and queues hold
		d.publish(wire.Hop{}, 1, seq+1, payload)
		if h, _, f := v.nextData(); h.Seq != seq+1 || f.Hop.Conn != 1 {
			t.Fatalf("seq %d came after %d", h.Seq, seq)
		}
	}
	_, stats := s.counts.snapshot(s.clients.all())
	if stats.Drops.Total() == 0 {
		t.Error("nothing was dropped for who reads nothing, or it was not counted")
	}
	if stats.Queued.Bytes > 1<<20 {
		t.Errorf("%d bytes are queued for who reads nothing", stats.Queued.Bytes)
	}
	slow.conn.Close()
}

// TestHalfOpenViewerIsCut: a viewer that went without a word frees its place.
func TestHalfOpenViewerIsCut(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	mute := rawWebSocket(t, s, http.Header{
		"Authorization": {"Bearer " + s.token(t, auth.Viewer)},
		"Telepath-Open": {encodedOpen(t, "rig")},
	})
	go func() { // the device goes on, or it would be cut as well
		for range 20 {
			d.raw(wire.TypeProbe, wire.Hop{}, []byte{1, 0, 1})
			time.Sleep(400 * time.Millisecond)
		}
	}()
	conn, _ := d.accept(1)
	began := time.Now()
	if _, f := d.nextSignal(signal.Away); f.Hop.Conn != conn || f.at.Sub(began) > 6*time.Second {
		t.Fatalf("away for conn %d after %v", f.Hop.Conn, f.at.Sub(began))
	}
	mute.conn.Close()
}

// TestSlowHeaderIsCut: who opens a connection and says nothing does not keep it.
func TestSlowHeaderIsCut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as headers may")
	}
	s := start(t, Config{})
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /v1/link HTTP/1.1\r\nHost: localhost\r\n")
	conn.SetReadDeadline(time.Now().Add(headerTime + patience))
	began := time.Now()
	if _, err := conn.Read(make([]byte, 1024)); err == nil {
		_, err = conn.Read(make([]byte, 1024))
		if err == nil {
			t.Fatal("the server talks on")
		}
	}
	if took := time.Since(began); took > headerTime+2*time.Second {
		t.Fatalf("cut after %v", took)
	}
}
