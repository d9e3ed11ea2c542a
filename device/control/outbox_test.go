package control

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// listener is a Conn whose words are heard where they are said.
type listener struct {
	conn string
	say  func(body []byte)
	*viewer
}

func (l listener) ID() string      { return l.conn }
func (l listener) Role() string    { return operatorRole }
func (l listener) Say(body []byte) { l.say(body) }

// idle is an authority that does not run: it refuses what it is told to do, in the goroutine that tells it.
func idle(t *testing.T) *Authority {
	t.Helper()
	a, err := New(Config{Actuators: []actuator.Actuator{newRover()}, FS: newDisk()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func takeIt(i int) []byte {
	return rpc.Command{Type: rpc.Lease, Do: rpc.Take, ID: fmt.Sprint(i), Key: "k"}.Append(nil)
}

// soon fails if something waits for what only it could end.
func soon(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal(what, "does not come back")
	}
}

// TestSayingMayFindAConnOver: what is said runs a step of the host's loop, in which another Conn ends, or even commands.
func TestSayingMayFindAConnOver(t *testing.T) {
	a := idle(t)
	var heard []string
	anna, bert := listener{conn: "anna"}, listener{conn: "bert", say: func([]byte) {}}
	anna.say = func(body []byte) {
		o, _ := rpc.ParseOutcome(body)
		heard = append(heard, o.ID)
		if o.ID == "1" {
			a.Gone(bert)
			a.Command(anna, takeIt(2))
			a.Command(anna, takeIt(3))
		}
	}
	a.Command(bert, takeIt(0))
	a.lease.asks = []seat{newSeat("k", "Bert", operatorRole, "bert")}
	soon(t, "who hears", func() { a.Command(anna, takeIt(1)) })
	if want := []string{"1", "2", "3"}; !slices.Equal(heard, want) {
		t.Errorf("heard of %q, want %q", heard, want)
	}
}

// TestGoneTellsNobody: who finds a Conn over may hold what is needed to tell. The watch does it.
func TestGoneTellsNobody(t *testing.T) {
	within(t, func(r *rig) {
		held := make(chan struct{}, 1) // a lock, as of a stream
		anna := listener{conn: "anna", viewer: &viewer{}}
		told := 0
		anna.say = func([]byte) {
			held <- struct{}{}
			told++
			<-held
		}
		r.Command(anna, rpc.Command{Type: rpc.Operate, On: true}.Append(nil))
		bert, carl := r.viewer("Bert", operatorRole), r.viewer("Carl", operatorRole)
		bert.take()
		carl.say(rpc.Command{Type: rpc.Lease, Do: rpc.Request})
		r.after(10 * time.Second) // all of that has been told again
		bert.take()
		r.after(time.Millisecond)

		held <- struct{}{}
		before, gone := told, make(chan struct{})
		go func() { defer close(gone); r.Gone(carl) }()
		r.after(0)
		select {
		case <-gone:
		default:
			t.Error("it waits for what its caller holds")
		}
		<-held
		r.after(0)
		if told == before {
			t.Error("nobody is told who no longer asks")
		}
	})
}

// TestNobodyWaitsForWhoTells: others go on, and what they have to tell is told in its order.
func TestNobodyWaitsForWhoTells(t *testing.T) {
	a := idle(t)
	begun, free := make(chan struct{}), make(chan struct{})
	var heard []string
	anna := listener{conn: "anna", say: func(body []byte) {
		o, _ := rpc.ParseOutcome(body)
		if heard = append(heard, o.ID); o.ID == "0" {
			close(begun)
			<-free
		}
	}}
	var slow sync.WaitGroup
	slow.Go(func() { a.Command(anna, takeIt(0)) })
	<-begun
	want := []string{"0"}
	soon(t, "who commands", func() {
		for i := range 20 {
			want = append(want, fmt.Sprint(i+1))
			a.Command(anna, takeIt(i+1))
		}
	})
	close(free)
	slow.Wait()
	if !slices.Equal(heard, want) {
		t.Errorf("heard of %q, want %q", heard, want)
	}
}

// TestAnOutboxIsBounded: of what cannot be told the newest is kept.
func TestAnOutboxIsBounded(t *testing.T) {
	var o outbox
	got := 0
	for i := range maxOutbox + 3 {
		o.add(func() { got = i })
	}
	if len(o.messages) != maxOutbox || o.lost != 3 {
		t.Errorf("%d messages wait, %d were dropped", len(o.messages), o.lost)
	}
	if o.messages[0](); got != 3 {
		t.Errorf("message %d is the oldest", got)
	}
	if o.messages[maxOutbox-1](); got != maxOutbox+2 {
		t.Errorf("message %d is the newest", got)
	}
}
