package peer

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// opener opens Conns under the numbers 1, 2, 3, … and says whether they found a place.
func opener(h *Host) func(id, role string) bool {
	number := uint64(0)
	return func(id, role string) bool {
		number++
		h.linkSignal(h.loop.now(), number, signal.Message{Type: signal.Open, ID: id, Role: role})
		return h.conns[id] != nil
	}
}

// TestAViewerTakesNoOperatorsPlace: nor when the operator's link is away for a moment.
func TestAViewerTakesNoOperatorsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		open := opener(h)
		open("Anna", "operator")
		for i := range DefaultMaxViewers {
			open(fmt.Sprint("viewer ", i), "viewer")
		}
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Away})
		if open("one more", "viewer") || h.conns["Anna"] == nil {
			t.Error("she had to go")
		}
		h.linkSignal(h.loop.now(), 2, signal.Message{Type: signal.Away})
		if !open("one more", "viewer") || h.conns["viewer 0"] != nil {
			t.Error("no viewer goes for another one")
		}
	})
}

// TestOperatorsFindAPlace: those who may only watch cannot take all of them, however many come.
func TestOperatorsFindAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		open := opener(h)
		for i := range DefaultMaxViewers {
			if !open(fmt.Sprint("viewer ", i), "viewer") {
				t.Fatalf("viewer %d found no place", i)
			}
		}
		for i := range DefaultMaxViewers / 8 {
			if role := []string{"operator", "admin"}[i%2]; !open(fmt.Sprint(role, i), role) {
				t.Errorf("%s %d found no place among viewers", role, i)
			}
		}
		if open("one more", "operator") || open("one more", "viewer") {
			t.Error("places are not bounded")
		}
		h.linkSignal(h.loop.now(), DefaultMaxViewers+1, signal.Message{Type: signal.Close})
		if open("one more", "viewer") {
			t.Error("a viewer has the place of one who may command")
		}
		if !open("one more", "operator") {
			t.Error("a place that became free is not given")
		}
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Close})
		if !open("another one", "viewer") {
			t.Error("nor is a viewer's")
		}
	})
}

// TestViewersOpensDelayNoOperator: nor does it harm whom the device knows already.
func TestViewersOpensDelayNoOperator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "evil", Role: "viewer"})
		accepted := func() uint64 { return h.link.leg.carrier.(*counting).signals }
		h.link.leg.carrier = &counting{Carrier: h.link.leg.carrier}
		for i := range uint64(10_000) {
			h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "evil", Role: "viewer"})
			h.linkSignal(h.loop.now(), 2+i, signal.Message{Type: signal.Open, ID: fmt.Sprint(i), Role: "viewer"})
			if i%1000 == 999 {
				before := accepted()
				h.linkSignal(h.loop.now(), 1<<20+i/5000, signal.Message{Type: signal.Open, ID: fmt.Sprint("operator ", i/5000), Role: "operator"})
				if accepted() == before {
					t.Errorf("open %d of an operator was not heard", i/1000)
				}
			}
			time.Sleep(time.Millisecond)
		}
	})
}

// counting counts signals.
type counting struct {
	carrier.Carrier
	signals uint64
}

func (c *counting) Send(f carrier.Frame) bool {
	if f.Class == wire.Signal && !f.Control {
		c.signals++
	}
	return c.Carrier.Send(f)
}

// TestAnswersToViewersEndNoLink: where the server reads slowly, viewers that ask for all descriptions again and again get fewer of them.
func TestAnswersToViewersEndNoLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		meta, err := json.Marshal(map[string]string{"label": strings.Repeat("x", 900)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range wire.MaxStreams {
			if _, err := h.Declare(StreamConfig{Name: fmt.Sprint(i), Class: wire.Event, Meta: meta}); err != nil {
				t.Fatal(err)
			}
		}
		h.adopt(h.loop.now())
		for range 20 {
			for i := range uint64(8) {
				h.linkSignal(h.loop.now(), i+1, signal.Message{Type: signal.Open, ID: fmt.Sprint(i), Role: "viewer"})
			}
			time.Sleep(time.Second)
		}
		if !h.link.signal(0, signal.Message{Type: signal.Describe}) {
			t.Fatal("the link is over")
		}
		h.linkSignal(h.loop.now(), 9, signal.Message{Type: signal.Open, ID: "operator", Role: "operator"})
		if !h.conns["operator"].throughServer(signal.Message{Type: signal.Answer}) {
			t.Error("no room for what an operator is told")
		}
	})
}

// TestSessionsEndOnDirectPathsToo: also of who has left its link before.
func TestSessionsEndOnDirectPathsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		for i, good := range []uint64{0, 30_000, 1 << 60} {
			m := signal.Message{Type: signal.Open, ID: fmt.Sprint(good), Role: "operator", GoodMS: good}
			h.linkSignal(h.loop.now(), uint64(i+1), m)
			c := h.conns[m.ID]
			c.paths.up(h.loop.now(), &leg{id: h.nextLeg(), carrier: &sink{rung: ladder.UDP}, conn: c})
			h.linkSignal(h.loop.now(), uint64(i+1), signal.Message{Type: signal.Away})
		}
		time.Sleep(29 * time.Second)
		if h.step(h.loop.now()); len(h.conns) != 3 {
			t.Errorf("%d Conns before the session's end, want 3", len(h.conns))
		}
		time.Sleep(time.Second)
		if h.step(h.loop.now()); len(h.conns) != 2 || h.conns["30000"] != nil {
			t.Errorf("%d Conns after it, want 2", len(h.conns))
		}
	})
}
