package room

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// fakeTURN has a server at every host that is known.
type fakeTURN struct {
	anywhere string
	revoked  *[]string // by Revoke; nil: not of interest
}

func (f fakeTURN) Revoke(conn string) {
	if f.revoked != nil {
		*f.revoked = append(*f.revoked, conn)
	}
}

func (f fakeTURN) Servers(conn, host string) []signal.Server {
	if host == "" {
		host = f.anywhere
	}
	if host == "" {
		return nil
	}
	return []signal.Server{{URLs: []string{"turn:" + host + "?transport=udp"}, Username: "9:" + conn, Credential: "secret", Expires: 9}}
}

// openTURN opens a Conn, with what a viewer may write into its open, and returns what both ends are told.
func openTURN(t *testing.T, turn TURN, trunk bool) (conn string, viewer, device []signal.Server) {
	t.Helper()
	r := New(Config{TURN: turn}, nil)
	h := hello("rig", time.Minute)
	h.Host = "device.example:1"
	_, atDevice := join(t, r, h)
	atViewer := &fakeLink{}
	v := r.Enter(atViewer, auth.Viewer, "viewer.example:2")
	if trunk {
		v = r.EnterTrunk(atViewer)
	}
	defer v.Leave()
	conn = uuid.NewString()
	const evil = `[{"urls":["turn:evil.example"]}]`
	body := []byte(`{"type":"open","device":"rig","id":"` + conn + `","servers":` + evil + `,"Servers":` + evil + `}`)
	if no := v.Handle(wire.Frame{Type: wire.TypeSignal, Hop: wire.Hop{Conn: 1}, Body: body}, time.Now()); no != nil {
		t.Fatal(no.Reason)
	}
	opened, open := atViewer.signals(t, signal.Opened), atDevice.signals(t, signal.Open)
	if len(opened) != 1 || len(open) != 1 {
		t.Fatalf("%d opened, %d open", len(opened), len(open))
	}
	return conn, opened[0].Servers, open[0].Servers
}

// Both ends are told the server's TURN servers, each under the name by which it
// reached the server, and nothing that the viewer wrote in their place.
func TestServersAreTheServersOwn(t *testing.T) {
	conn, viewer, device := openTURN(t, fakeTURN{}, false)
	if len(viewer) != 1 || viewer[0].URLs[0] != "turn:viewer.example:2?transport=udp" || viewer[0].Username != "9:"+conn {
		t.Errorf("the viewer is told %v", viewer)
	}
	if len(device) != 1 || device[0].URLs[0] != "turn:device.example:1?transport=udp" || device[0].Username != "9:"+conn {
		t.Errorf("the device is told %v", device)
	}
}

func TestWithoutTURNNobodyIsToldOfServers(t *testing.T) {
	if _, viewer, device := openTURN(t, nil, false); viewer != nil || device != nil {
		t.Errorf("told %v and %v", viewer, device)
	}
}

// A viewer at another server of the cluster reached the device's home by no
// name: with a TURN server of a fixed address both ends have it, else neither.
func TestServersAcrossATrunk(t *testing.T) {
	if _, viewer, device := openTURN(t, fakeTURN{}, true); viewer != nil || device != nil {
		t.Errorf("told %v and %v", viewer, device)
	}
	_, viewer, device := openTURN(t, fakeTURN{anywhere: "turn.example"}, true)
	if len(viewer) != 1 || len(device) != 1 || viewer[0].URLs[0] != device[0].URLs[0] {
		t.Errorf("told %v and %v", viewer, device)
	}
}

// A Conn that its viewer closes has nothing more to do at a TURN server; one
// whose viewer's link was cut lives on while a path carries it.
func TestWhatIsClosedIsRevoked(t *testing.T) {
	var revoked []string
	r := New(Config{TURN: fakeTURN{revoked: &revoked}}, nil)
	join(t, r, hello("rig", time.Minute))
	v := r.Enter(&fakeLink{}, auth.Viewer, "viewer.example:2")
	first, second := openMessage("rig"), openMessage("rig")
	v.Handle(signalFrame(t, 1, first), time.Now())
	v.Handle(signalFrame(t, 2, second), time.Now())
	v.Handle(signalFrame(t, 1, signal.Message{Type: signal.Close}), time.Now())
	v.Leave()
	if len(revoked) != 1 || revoked[0] != first.ID {
		t.Errorf("revoked: %v, want %s of %s and %s", revoked, first.ID, first.ID, second.ID)
	}
}
