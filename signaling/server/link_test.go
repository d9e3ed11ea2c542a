package server

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// TestFramesGoBothWays is the main job: a device's shared frame reaches a
// viewer under the viewer's number, and a viewer's frame the device.
func TestFramesGoBothWays(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := s.viewer(t, "rig")
	opened, f := v.nextSignal(signal.Opened)
	if p := presenceOf(t, opened); f.Hop.Conn != 1 || p.ID != d.id || p.State != signal.StateLive || p.Facts["os"] != "test" {
		t.Fatalf("opened on conn %d: %+v", f.Hop.Conn, p)
	}
	described, _ := v.nextSignal(signal.Describe)
	if len(described.Streams) != 2 || described.Streams[0].Name != "cpu" {
		t.Fatalf("described: %+v", described.Streams)
	}
	conn, open := d.accept(1)
	if open.Role != "viewer" {
		t.Fatalf("the device was told the role %q", open.Role)
	}
	v.nextSignal(signal.Accept)

	d.publish(wire.Hop{}, 2, 1, "not routed")
	d.publish(wire.Hop{}, 1, 1, "shared")
	if h, payload, f := v.nextData(); payload != "shared" || f.Hop.Conn != 1 || h.Seq != 1 {
		t.Fatalf("got %q on conn %d", payload, f.Hop.Conn)
	}
	d.publish(wire.Hop{Conn: conn}, 2, 5, "for one")
	if _, payload, f := v.nextData(); payload != "for one" || f.Hop.Conn != 1 {
		t.Fatalf("got %q on conn %d", payload, f.Hop.Conn)
	}
	ack := wire.AppendAck(nil, 0, []wire.Position{{Stream: 2, Epoch: 7, Seq: 5}})
	v.raw(wire.TypeAck, wire.Hop{Conn: 1}, ack)
	got := d.next("ack", func(f frame) bool { return f.Type == wire.TypeAck })
	if got.Hop.Conn != conn || string(got.Body) != string(ack) {
		t.Fatalf("ack on conn %d: %x", got.Hop.Conn, got.Body)
	}
}

// TestOpenInRequest: what the first request asks for is answered without
// another word from the viewer, retained value included.
func TestOpenInRequest(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	d.publish(wire.Hop{Store: true}, 1, 41, "older")
	d.publish(wire.Hop{Store: true}, 1, 42, "kept")
	s.waitFor(t, "the value to be kept", func() bool { return s.retains(t, "rig", "kept") })

	open := openSignal("rig")
	body, err := open.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := s.dial(t, auth.Viewer, http.Header{"Telepath-Open": {base64.RawURLEncoding.EncodeToString(body)}})
	welcome, _ := v.nextSignal(signal.Welcome)
	if welcome.Role != "viewer" {
		t.Fatalf("role %q", welcome.Role)
	}
	v.nextSignal(signal.Opened)
	v.nextSignal(signal.Describe)
	if _, payload, f := v.nextData(); payload != "kept" || !f.Hop.Retained || f.Hop.Conn != 1 {
		t.Fatalf("retained: %q %+v", payload, f.Hop)
	}
	d.next("the open", func(f frame) bool {
		return f.Type == wire.TypeSignal && strings.Contains(string(f.Body), open.ID)
	})
}

// retains reports whether a new viewer is served payload as a retained value.
func (r *running) retains(t *testing.T, device, payload string) bool {
	t.Helper()
	v := r.viewer(t, device)
	defer v.cut()
	for _, f := range v.greeting() {
		if f.Type == wire.TypeData && strings.HasSuffix(string(f.Body), payload) {
			return true
		}
	}
	return false
}

// greeting is what comes after opened until it is quiet: the classes of the
// frames decide their order, so none of them is surely the last.
func (l *link) greeting() (frames []frame) {
	l.t.Helper()
	l.nextSignal(signal.Opened)
	for {
		select {
		case f := <-l.in:
			frames = append(frames, f)
		case <-time.After(50 * time.Millisecond):
			return frames
		}
	}
}

func (r *running) waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waiting for %s: it does not happen", what)
		}
	}
}

func TestSameKeyTakesOverAtOnce(t *testing.T) {
	s := start(t, Config{})
	key := newKey(t)
	old := s.device(t, key, "rig")
	fresh := s.device(t, key, "rig")
	if code := old.ended(); code != "taken-over" {
		t.Fatalf("the older link ended with %s", code)
	}
	if fresh.session <= old.session || fresh.id != old.id {
		t.Fatalf("sessions %d then %d", old.session, fresh.session)
	}
	s.viewer(t, "rig").nextSignal(signal.Opened)
	fresh.accept(1)
}

func TestOtherKeyUnderOnlineNameIsRefused(t *testing.T) {
	s := start(t, Config{})
	first := s.device(t, newKey(t), "rig")
	other := s.hello(t, newKey(t), "rig")
	no, _ := other.nextSignal(signal.Refuse)
	if no.Code != "name-taken" || no.Remedy == "" || !strings.Contains(no.Reason, first.id) {
		t.Fatalf("refused with %+v", no)
	}
	if code := other.ended(); code != "name-taken" {
		t.Fatalf("closed with %s", code)
	}
	s.viewer(t, "rig").nextSignal(signal.Opened)
	first.accept(1) // unharmed
}

func TestOfflineNameMayBeTaken(t *testing.T) {
	s := start(t, Config{})
	first := s.device(t, newKey(t), "rig")
	first.cut()
	s.waitFor(t, "the first device to be offline", func() bool { return s.Server.room.Count()["offline"] == 1 })
	second := s.device(t, newKey(t), "rig")
	opened, _ := s.viewer(t, "rig").nextSignal(signal.Opened)
	if p := presenceOf(t, opened); p.ID != second.id {
		t.Fatalf("the name leads to %s, not to who is online", p.ID)
	}
	opened, _ = s.viewer(t, first.id).nextSignal(signal.Opened)
	if p := presenceOf(t, opened); p.ID != first.id || p.State != signal.StateOffline {
		t.Fatalf("the id leads to %+v", p)
	}
}

func TestBadHellos(t *testing.T) {
	s := start(t, Config{})
	for name, c := range map[string]struct {
		change helloOption
		code   string
	}{
		"signature":       {func(m *signal.Message) { m.Sig[0] ^= 1 }, "bad-signature"},
		"name not signed": {func(m *signal.Message) { m.Name = "other" }, "bad-signature"},
		"short key":       {func(m *signal.Message) { m.Key = m.Key[:31] }, "malformed"},
		"bidi name":       {func(m *signal.Message) { m.Name = "rig\u202egir" }, "malformed"},
		"long name":       {func(m *signal.Message) { m.Name = strings.Repeat("x", 10_000) }, "malformed"},
		"keep alive":      {func(m *signal.Message) { m.KeepAliveMS = 1 << 50 }, "malformed"},
		"will":            {func(m *signal.Message) { m.Wills = []signal.Will{{Frame: data(1, 1, "x")}} }, "malformed"},
		"no hello":        {func(m *signal.Message) { m.Type = signal.Describe }, "malformed"},
	} {
		l := s.hello(t, newKey(t), "rig", c.change)
		if no, _ := l.nextSignal(signal.Refuse); no.Code != c.code || no.Reason == "" || no.Remedy == "" {
			t.Errorf("%s: refused with %q: %s (%s)", name, no.Code, no.Reason, no.Remedy)
		}
		if code := l.ended(); code != c.code {
			t.Errorf("%s: closed with %s", name, code)
		}
	}
}

// TestSlowHello: who has a device's token and never says who it is does not keep a link, even if it probes.
func TestSlowHello(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as a hello may")
	}
	s := start(t, Config{})
	l := s.dial(t, auth.Device, nil)
	go func() {
		for {
			select {
			case <-l.over:
				return
			case <-time.After(helloTime / 10):
				l.raw(wire.TypeProbe, wire.Hop{}, []byte{1, 0, 1})
			}
		}
	}()
	if no, _ := l.nextSignal(signal.Refuse); no.Code != "timeout" || no.Remedy == "" {
		t.Errorf("refused with %+v", no)
	}
	if code := l.ended(); code != "timeout" {
		t.Errorf("closed with %s", code)
	}
}

func TestUnknownAndAmbiguousDevices(t *testing.T) {
	s := start(t, Config{})
	for range 2 {
		s.device(t, newKey(t), "twin").cut()
		s.waitFor(t, "a twin to go", func() bool { n := s.Server.room.Count(); return n["live"] == 0 })
	}
	s.device(t, newKey(t), "rig")
	no, f := s.viewer(t, "twin").nextSignal(signal.Refused)
	if no.Code != "ambiguous" || len(no.Candidates) != 2 || f.Hop.Conn != 1 || no.Candidates[0].Since == 0 {
		t.Fatalf("ambiguous: %+v", no)
	}
	no, _ = s.viewer(t, "ri").nextSignal(signal.Refused)
	if no.Code != "unknown-device" || len(no.Candidates) != 1 || no.Candidates[0].Name != "rig" {
		t.Fatalf("unknown: %+v", no)
	}
}

// TestReopenOnNewLink: a viewer whose link broke binds the same Conn to its new one.
func TestReopenOnNewLink(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	open := openSignal("rig")
	first := s.dial(t, auth.Operator, nil)
	first.signal(1, open)
	before, _ := d.accept(1)
	second := s.dial(t, auth.Operator, nil)
	second.signal(9, open)
	after, again := d.accept(1)
	if again.ID != open.ID || after == before || again.Role != "operator" {
		t.Fatalf("conn %d then %d, role %q", before, after, again.Role)
	}
	d.publish(wire.Hop{}, 1, 1, "once")
	if _, payload, f := second.nextData(); payload != "once" || f.Hop.Conn != 9 {
		t.Fatalf("%q on conn %d", payload, f.Hop.Conn)
	}
	d.publish(wire.Hop{Conn: before}, 1, 2, "to the old number")
	second.cut()
	if _, f := d.nextSignal(signal.Away); f.Hop.Conn != after {
		t.Fatalf("away for conn %d", f.Hop.Conn)
	}
}

func TestCloseReachesDevice(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := s.viewer(t, "rig")
	conn, _ := d.accept(1)
	v.signal(1, signal.Message{Type: signal.Close})
	if _, f := d.nextSignal(signal.Close); f.Hop.Conn != conn {
		t.Fatalf("close for conn %d", f.Hop.Conn)
	}
}

// TestRoleCannotBeForged: whatever a viewer writes, the device is told the server's word.
func TestRoleCannotBeForged(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := s.dial(t, auth.Viewer, nil)
	v.raw(wire.TypeSignal, wire.Hop{Conn: 1}, []byte(`{"type":"open","device":"rig","id":"`+uuid.NewString()+`","role":"admin","Role":"admin","later":{"x":1}}`))
	open, f := d.nextSignal(signal.Open)
	if open.Role != "viewer" || strings.Contains(string(f.Body), "admin") || !strings.Contains(string(f.Body), `"later"`) {
		t.Fatalf("the device got %s", f.Body)
	}
}

func TestEchoOfLinkProbe(t *testing.T) {
	s := start(t, Config{})
	v := s.dial(t, auth.Viewer, nil)
	v.raw(wire.TypeProbe, wire.Hop{}, wire.AppendUvarint(append(wire.AppendUvarint(nil, 77), 0), 1234))
	f := v.next("echo", func(f frame) bool { return f.Type == wire.TypeEcho })
	e, err := wire.ParseEcho(f.Body)
	if err != nil || e.ID != 77 || e.T1 != 1234 || e.T2 == 0 || e.T3 < e.T2 {
		t.Fatalf("echo %+v, %v", e, err)
	}
	const full = 1 << 1 // it says so, and is short
	v.raw(wire.TypeProbe, wire.Hop{}, []byte{78, full, 5})
	f = v.next("echo", func(f frame) bool { return f.Type == wire.TypeEcho })
	if e, err := wire.ParseEcho(f.Body); err != nil || e.ID != 78 || e.Full || len(f.Body) > 50 {
		t.Fatalf("a short probe is echoed with %d bytes: %+v, %v", len(f.Body), e, err)
	}
}

// TestLinkEndsWithItsSession: also one that was open before. What its Conns may still do on direct paths ends with it.
func TestLinkEndsWithItsSession(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := runLink(t, s.open(t, ladder.WS, http.Header{"Authorization": {"Bearer " + s.session(t, auth.Operator, 2*time.Second)}}))
	v.nextSignal(signal.Welcome)
	v.signal(1, openSignal("rig"))
	v.keepAlive(t)
	conn, open := d.accept(1)
	if open.GoodMS == 0 || open.GoodMS > 2000 {
		t.Errorf("the device was told that the role is good for %d ms", open.GoodMS)
	}
	other := s.dial(t, auth.Viewer, nil) // with a token, which has no end
	other.raw(wire.TypeSignal, wire.Hop{Conn: 1}, fmt.Appendf(nil, `{"type":"open","device":"rig","id":%q,"good_ms":1,"Good_MS":2}`, uuid.NewString()))
	if _, open = d.accept(1); open.GoodMS != 0 {
		t.Errorf("a viewer has said for itself that it is good for %d ms", open.GoodMS)
	}
	other.keepAlive(t)

	if no, _ := v.nextSignal(signal.Refuse); no.Code != "unauthorized" || no.Reason == "" || no.Remedy == "" {
		t.Errorf("refused with %q: %s: %s", no.Code, no.Reason, no.Remedy)
	}
	if code := v.ended(); code != "unauthorized" {
		t.Errorf("the link ended with %q", code)
	}
	if _, f := d.nextSignal(signal.Close); f.Hop.Conn != conn {
		t.Errorf("the device was told to close conn %d, not %d", f.Hop.Conn, conn)
	}
	other.settle()
}

// session is one that lasts for so long, in whole seconds.
func (r *running) session(t *testing.T, role auth.Role, life time.Duration) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(r.dir, "session.key"))
	if err != nil {
		t.Fatal(err)
	}
	claim := fmt.Sprintf("s1.%s.%d", role, time.Now().Add(life).Unix())
	mac := hmac.New(sha256.New, bytes.TrimSpace(key))
	mac.Write([]byte(claim))
	return claim + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
