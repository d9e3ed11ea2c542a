package room

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// TestWhoMayCommand: an operator's and an admin's commands reach the device under their Conn's number, a viewer's do not and are counted.
func TestWhoMayCommand(t *testing.T) {
	for role, may := range map[auth.Role]bool{auth.Viewer: false, auth.Operator: true, auth.Admin: true} {
		r := New(Config{}, nil)
		_, device := join(t, r, hello("rig", time.Minute))
		v := r.Enter(&fakeLink{}, role, "")
		v.Handle(signalFrame(t, 7, openMessage("rig")), time.Now())
		had := len(device.frames)
		for _, kind := range []wire.Type{wire.TypeCommand, wire.TypeDrive} {
			f := wire.Frame{Type: kind, Hop: wire.Hop{Conn: 7, Priority: wire.Urgent}, Body: []byte("{}")}
			if no := v.Handle(f, time.Now()); no != nil { // it would end the Conn
				t.Errorf("%s: %v", role, no)
			}
		}
		passed := device.frames[had:]
		if may && (len(passed) != 2 || passed[0].Type != wire.TypeCommand || passed[0].Hop != (wire.Hop{Conn: 1, Priority: wire.Urgent})) || !may && len(passed) != 0 {
			t.Errorf("%s: the device got %+v", role, passed)
		}
		if dropped := r.Counters().Role.Load(); (dropped == 0) != may {
			t.Errorf("%s: %d frames counted", role, dropped)
		}
		v.Leave()
	}
}

// TestCommandsGoOneWay: what a device says does not come from a viewer, and the other way round; what is too long stays here.
func TestCommandsGoOneWay(t *testing.T) {
	r := New(Config{}, nil)
	s, device := join(t, r, hello("rig", time.Minute))
	link := &fakeLink{}
	v := r.Enter(link, auth.Admin, "")
	defer v.Leave()
	v.Handle(signalFrame(t, 1, openMessage("rig")), time.Now())
	there, here := len(device.frames), len(link.frames)
	for kind, fromViewer := range map[wire.Type]bool{wire.TypeCommand: true, wire.TypeDrive: true, wire.TypeTick: false, wire.TypeOutcome: false} {
		f := wire.Frame{Type: kind, Hop: wire.Hop{Conn: 1}, Body: []byte("{}")}
		if no := v.Handle(f, time.Now()); (no == nil) != fromViewer {
			t.Errorf("type %d from a viewer: %v", kind, no)
		}
		if no := s.Handle(f, time.Now()); (no == nil) == fromViewer {
			t.Errorf("type %d from a device: %v", kind, no)
		}
		f.Body = make([]byte, maxBody(kind)+1)
		if no := v.Handle(f, time.Now()); no == nil {
			t.Errorf("type %d: %d bytes passed", kind, len(f.Body))
		}
	}
	if to, from := len(device.frames)-there, len(link.frames)-here; to != 2 || from != 2 {
		t.Errorf("%d frames to the device, %d to the viewer", to, from)
	}
}
