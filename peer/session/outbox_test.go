package session

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// outboxWorld plays outbox-*.scenario.
type outboxWorld struct {
	budgets map[string]*Budget
	rings   map[string]*Ring
	flights map[string]*Flight
	boxes   map[string]*Outbox
	order   []string // of boxes
	items   []Item
	follows []string
}

func newOutboxWorld() *outboxWorld {
	return &outboxWorld{
		budgets: map[string]*Budget{}, rings: map[string]*Ring{},
		flights: map[string]*Flight{}, boxes: map[string]*Outbox{},
	}
}

func (w *outboxWorld) event(now time.Duration, verb string, a arguments) error {
	w.items, w.follows = nil, nil
	name := ""
	if len(a.words) > 0 {
		name = a.words[0]
	}
	switch verb {
	case "step":
	case "budget":
		w.budgets[name] = NewBudget(int(a.number("bytes", 0)))
	case "ring":
		w.rings[name] = NewRing(uint32(a.number("epoch", scenarioEpoch)), w.budgets[a.text("budget", "")])
	case "flight":
		w.flights[name] = NewFlight(int(a.number("bytes", 0)))
	case "outbox":
		w.boxes[name] = NewOutbox(w.rings[a.options["ring"]], 1, w.flights[a.options["flight"]], a.number("after", 0))
		w.order = append(w.order, name)
	case "push":
		seq, count, err := parseBatch(a.words[1])
		if err != nil {
			return err
		}
		w.push(now, w.rings[name], Batch{Seq: seq, Count: count, Body: make([]byte, a.number("size", 100))})
	case "many":
		n, err := strconv.Atoi(a.words[1])
		for range n {
			r := w.rings[name]
			w.push(now, r, Batch{Seq: r.Head() + 1, Count: 1, Body: make([]byte, a.number("size", 100))})
		}
		return err
	default:
		return w.boxEvent(now, verb, w.boxes[name], a)
	}
	return nil
}

func (w *outboxWorld) push(now time.Duration, r *Ring, b Batch) {
	w.follows = nil
	r.Push(now, b)
	for _, name := range w.order {
		if o := w.boxes[name]; o.ring == r && o.Follows(now, b) {
			w.follows = append(w.follows, name)
		}
	}
}

func (w *outboxWorld) boxEvent(now time.Duration, verb string, o *Outbox, a arguments) error {
	switch verb {
	case "next":
		rtt := a.time("rtt", 40*time.Millisecond)
		for item, ok := o.Next(now, rtt); ok; item, ok = o.Next(now, rtt) {
			w.items = append(w.items, item)
		}
	case "ack":
		p := wire.Position{Stream: 1, Epoch: uint32(a.number("epoch", scenarioEpoch))}
		var err error
		if p.Seq, err = strconv.ParseUint(a.words[1], 10, 64); err != nil {
			return err
		}
		for _, word := range a.words[2:] {
			r, err := parseRange(word)
			if err != nil {
				return err
			}
			p.Received = append(p.Received, r)
		}
		o.Ack(now, p)
	case "switched":
		o.Switched(now)
	case "refused":
		seq, err := strconv.ParseUint(a.words[1], 10, 64)
		o.Refused(seq)
		return err
	case "close":
		o.Close()
	default:
		return fmt.Errorf("no verb %q", verb)
	}
	return nil
}

func (w *outboxWorld) check(_ time.Duration, what string, want []string) (have []string, err error) {
	name := want[0]
	switch what {
	case "items":
		return formatItems(w.items), nil
	case "follows":
		return w.follows, nil
	case "following":
		for _, name := range w.order {
			if w.boxes[name].Following() {
				have = append(have, name)
			}
		}
		return have, nil
	case "wake":
		at := "never"
		if wake := w.boxes[name].Wake(); wake != Never {
			at = formatTime(wake, want[1])
		}
		return []string{name, at}, nil
	case "oldest":
		return []string{name, fmt.Sprint(w.rings[name].Oldest())}, nil
	case "head":
		return []string{name, fmt.Sprint(w.rings[name].Head())}, nil
	case "start":
		return []string{name, fmt.Sprint(w.boxes[name].Start())}, nil
	case "used":
		if b, ok := w.budgets[name]; ok {
			return []string{name, fmt.Sprint(b.Used())}, nil
		}
		return []string{name, fmt.Sprint(w.flights[name].Used())}, nil
	}
	return nil, fmt.Errorf("no check %q", what)
}

// formatItems writes runs of three and more equal, consecutive batches as N*SEQ+COUNT.
func formatItems(items []Item) (words []string) {
	for len(items) > 0 {
		if g := items[0].Gap; g.From != 0 {
			words = append(words, "gap:"+formatRange(g.From, g.To))
			items = items[1:]
			continue
		}
		first, n := items[0].Batch, 1
		for n < len(items) && items[n].Gap.From == 0 && items[n].Batch.Count == first.Count &&
			items[n].Batch.Seq == first.Seq+uint64(n*first.Count) {
			n++
		}
		if n > 2 {
			words = append(words, fmt.Sprintf("%d*%d+%d", n, first.Seq, first.Count))
		} else {
			n = 1
			words = append(words, fmt.Sprintf("%d+%d", first.Seq, first.Count))
		}
		items = items[n:]
	}
	return words
}

func TestBatchThatIsNotBeyondTheHeadIsIgnored(t *testing.T) {
	r := NewRing(scenarioEpoch, nil)
	r.Push(0, Batch{Seq: 1, Count: 3})
	r.Push(0, Batch{Seq: 3, Count: 1})
	r.Push(0, Batch{Seq: 4, Count: 0})
	if r.Head() != 3 || len(r.held()) != 1 {
		t.Errorf("head %d, %d batches held; want 3, 1", r.Head(), len(r.held()))
	}
}

func TestRingHoleIsAGap(t *testing.T) {
	r, f := NewRing(scenarioEpoch, nil), NewFlight(0)
	o := NewOutbox(r, 1, f, 0)
	o.following = false
	r.Push(0, Batch{Seq: 1, Count: 1})
	r.Push(0, Batch{Seq: 5, Count: 1})
	var items []Item
	for item, ok := o.Next(0, 0); ok; item, ok = o.Next(0, 0) {
		items = append(items, item)
	}
	if got := strings.Join(formatItems(items), " "); got != "1+1 gap:2..4 5+1" {
		t.Errorf("items %s", got)
	}
}

// What has not left this end is not lost. The wait for progress begins when it has, and so does the one that doubles.
func TestWhatWaitsIsNotOverdue(t *testing.T) {
	const rtt, ms = 40 * time.Millisecond, time.Millisecond
	r := NewRing(scenarioEpoch, nil)
	o := NewOutbox(r, 1, NewFlight(0), 0)
	b := Batch{Seq: 1, Count: 1, Body: make([]byte, 100)}
	r.Push(0, b)
	o.Follows(0, b)
	for _, c := range []struct {
		at      time.Duration
		overdue bool
		waits   bool // in a queue of this end
		again   bool
	}{
		{499 * ms, false, true, false},
		{500 * ms, true, true, false},
		{1000 * ms, true, true, false},
		{1500 * ms, true, false, false}, // it left, perhaps just now
		{1999 * ms, false, false, false},
		{2000 * ms, true, false, true},
		{2999 * ms, false, false, false},
		{3000 * ms, true, true, false}, // the copy waits
		{4000 * ms, true, false, false},
		{5000 * ms, true, false, true},
	} {
		overdue := o.Overdue(c.at, rtt)
		if overdue && c.waits {
			o.Wait(c.at)
		}
		if _, again := o.Next(c.at, rtt); overdue != c.overdue || again != c.again {
			t.Errorf("at %v: overdue %v, sent again %v; want %v, %v", c.at, overdue, again, c.overdue, c.again)
		}
		if wake := o.Wake(); wake <= c.at {
			t.Errorf("at %v wants to be woken at %v", c.at, wake)
		}
	}
}

// TestAGapThatGrowsIsOne: while the receiver takes nothing, the ring loses batch after batch that was never sent. That is one gap, which is
// repeated as one.
func TestAGapThatGrowsIsOne(t *testing.T) {
	s := newSharers(t, 1, 4_000)
	o, head := s.boxes[0], uint64(2*maxUnacked)
	publish := func() {
		s.publish(0)
		for _, ok := o.Next(s.now, 0); ok; _, ok = o.Next(s.now, 0) {
		}
	}
	for range head {
		publish()
	}
	gaps := 0
	for _, sent := range o.sent {
		if sent.gap {
			gaps++
		}
	}
	if gaps != 1 || len(o.sent) > 4 || o.next <= head/2 {
		t.Errorf("%d gaps among %d that are unacknowledged, next is %d of %d", gaps, len(o.sent), o.next, head)
	}
	o.Ack(s.now, wire.Position{Stream: 1, Epoch: scenarioEpoch, Seq: o.next - 1})
	if o.flagged != 0 || len(o.sent) != 0 || s.flight.used != 0 {
		t.Errorf("at the end %d are flagged, %d unacknowledged, %d bytes in flight", o.flagged, len(o.sent), s.flight.used)
	}
}
