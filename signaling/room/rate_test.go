package room

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// TestOpensOfAConnAreBounded: each costs its description and values, and a word to the device.
func TestOpensOfAConnAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{}, nil)
		s, device := join(t, r, hello("rig", time.Minute))
		s.Handle(signalFrame(t, 0, signal.Message{Type: signal.Describe, Epoch: "00000007", Streams: []signal.Stream{{ID: 1, Name: "cpu", Class: "live"}}}), time.Now())
		link := &fakeLink{}
		v := r.Enter(link, auth.Viewer, "")
		defer v.Leave()
		open := openMessage("rig")
		for range 1000 {
			v.Handle(signalFrame(t, 1, open), time.Now())
		}
		described, asked := len(link.signals(t, signal.Describe)), len(device.signals(t, signal.Open))
		if described > reopensAtOnce+1 || asked > reopensAtOnce+1 || described == 0 || asked == 0 {
			t.Errorf("1,000 opens were answered with %d descriptions, and the device was asked %d times", described, asked)
		}
		if no := link.signals(t, signal.Refused); len(no) == 0 || no[0].Code != "rate-limited" || no[0].Remedy == "" {
			t.Errorf("its viewer was told %+v", no)
		}
		for range 10 { // as an honest one may have to
			time.Sleep(time.Second)
			before := len(device.signals(t, signal.Open))
			v.Handle(signalFrame(t, 1, open), time.Now())
			if len(device.signals(t, signal.Open)) == before {
				t.Error("an open a second is not passed on")
			}
		}
	})
}

// TestOpensOfAViewerAreBounded: a page may open and reopen all that it shows at once, and goes on more slowly then.
func TestOpensOfAViewerAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{}, nil)
		_, device := join(t, r, hello("rig", time.Minute))
		link := &fakeLink{}
		v := r.Enter(link, auth.Viewer, "")
		defer v.Leave()
		const waves = 4 // its link is new, its devices come back, their links are others, and once more
		for range waves {
			for n := range uint64(maxConnsPerViewer) {
				v.Handle(signalFrame(t, n+1, openMessage("rig")), time.Now())
			}
		}
		if n, no := len(device.signals(t, signal.Open)), link.signals(t, signal.Refused); n != waves*maxConnsPerViewer || len(no) > 0 {
			t.Fatalf("the device was asked %d times, %d opens were refused", n, len(no))
		}
		for range 1000 {
			for n := range uint64(4) {
				v.Handle(signalFrame(t, n+1, openMessage("rig")), time.Now())
			}
			time.Sleep(time.Millisecond)
		}
		if n := len(device.signals(t, signal.Open)) - waves*maxConnsPerViewer; n < opensPerSecond-1 || n > opensPerSecond+1 {
			t.Errorf("it was asked %d times in the second that followed", n)
		}
	})
}

// TestListsAreBounded: who asks for the list again and again keeps nobody waiting for what changes.
func TestListsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{}, nil)
		run(t, r)
		evil, good := &fakeLink{}, &fakeLink{}
		v, w := r.Enter(evil, auth.Viewer, ""), r.Enter(good, auth.Viewer, "")
		defer v.Leave()
		defer w.Leave()
		if no := w.Handle(signalFrame(t, 0, signal.Message{Type: signal.Watch}), time.Now()); no != nil {
			t.Fatal(no)
		}
		var last *Refusal
		for range 1000 {
			last = v.Handle(signalFrame(t, 0, signal.Message{Type: signal.Watch}), time.Now())
			time.Sleep(10 * time.Millisecond)
		}
		if n := len(evil.signals(t, signal.Devices)); n > watchesAtOnce+11 {
			t.Errorf("10 s of asking brought %d lists", n)
		}
		if last == nil || last.Code != "rate-limited" || !last.Soft {
			t.Errorf("its viewer was told %+v", last)
		}
		join(t, r, hello("rig", time.Minute))
		time.Sleep(time.Second)
		if n := len(good.signals(t, signal.Devices)); n != 2 {
			t.Errorf("the other one was told of devices %d times", n)
		}
	})
}

// TestCandidatesAreTheFirst by name, as a list of all would have them.
func TestCandidatesAreTheFirst(t *testing.T) {
	r := New(Config{}, nil)
	for i := range 300 {
		join(t, r, hello(fmt.Sprintf("d%03d", (i*7)%300), time.Minute))
	}
	_, no := r.Latest("nobody", nil)
	if no == nil || len(no.Candidates) != maxCandidateList {
		t.Fatalf("%+v", no)
	}
	for i, d := range no.Candidates {
		if d.Name != fmt.Sprintf("d%03d", i) || d.State != signal.StateLive {
			t.Fatalf("candidate %d is %+v", i, d)
		}
	}
	for range searchesAtOnce {
		_, no = r.Latest("nobody", nil)
	}
	if no.Code != "unknown-device" || len(no.Candidates) > 0 {
		t.Errorf("%d candidates are still looked for", len(no.Candidates))
	}
}

// BenchmarkUnknownDevice is what a name that is not there costs with as many devices as there may be, while everything else waits.
func BenchmarkUnknownDevice(b *testing.B) {
	r := New(Config{}, nil)
	for i := range defaultMaxDevices {
		id := fmt.Sprintf("%032d", (i*7919)%defaultMaxDevices)
		r.devices[id] = newDevice(id)
		r.devices[id].name = "device " + id
	}
	name, err := json.Marshal("nobody")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, no := r.Latest(string(name), nil); no == nil {
			b.Fatal("found")
		}
	}
}
