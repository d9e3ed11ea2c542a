package e2e

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// The stream of numbered events that the ledger is kept of.
const (
	logStream  = "log"
	eventEvery = 50 * time.Millisecond
	eventSize  = 40 // bytes of filling
)

// producer writes numbered events to a device's standard input at a steady rate and keeps the book.
type producer struct {
	run  int
	stop chan struct{}
	done chan struct{}

	mu   sync.Mutex
	last uint64 // guarded by mu
	err  error  // guarded by mu
}

func startProducer(t *testing.T, device *program.Program, run int) *producer {
	t.Helper()
	p := &producer{run: run, stop: make(chan struct{}), done: make(chan struct{})}
	go p.produce(device)
	t.Cleanup(p.end)
	return p
}

func (p *producer) produce(device *program.Program) {
	defer close(p.done)
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		if err := p.next(device); err != nil {
			return // the device is gone; what was written until then counts
		}
	}
}

func (p *producer) next(device *program.Program) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	entry := ledger.Sent{Run: p.run, Number: p.last + 1}
	line, err := json.Marshal(map[string]any{"stream": logStream, "class": "event", "value": entry.Text(eventSize)})
	if err != nil {
		return err
	}
	if p.err = device.Write(string(line)); p.err != nil {
		return p.err
	}
	p.last++
	return nil
}

// end stops the production; nothing is written afterwards.
func (p *producer) end() {
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	<-p.done
}

// count is how many events were written so far.
func (p *producer) count() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// isNumber matches the event with that number.
func isNumber(number uint64) func(rig.Event) bool {
	return func(e rig.Event) bool {
		return e.Type == "sample" && e.Stream == logStream && e.Seq == number && !e.Retained
	}
}

// settle ends the production, waits until the last event has arrived and closes the book on all events from `from` on.
func settle(t *testing.T, p *producer, w *rig.Watcher, from uint64) ledger.Verdict {
	t.Helper()
	p.end()
	last := p.count()
	if _, err := w.Await("the last event", 0, 15*time.Second, isNumber(last)); err != nil {
		t.Error(err)
	}
	time.Sleep(300 * time.Millisecond) // for a duplicate that should not come
	var book ledger.Book
	for n := from; n <= last; n++ {
		book.Send(ledger.Sent{Run: p.run, Number: n})
	}
	addDelivered(t, &book, w, from)
	return book.Close()
}

// addDelivered enters what the viewer was handed: live samples and declared gaps of the log stream.
func addDelivered(t *testing.T, book *ledger.Book, w *rig.Watcher, from uint64) {
	t.Helper()
	events, err := w.Events()
	must(t, err)
	for _, e := range events {
		if e.Stream != logStream || e.Retained {
			continue
		}
		switch {
		case e.Type == "sample" && e.Seq >= from:
			book.Deliver(ledger.Delivered{Epoch: e.Epoch, Seq: e.Seq, Text: e.String()})
		case e.Type == "gap":
			book.Declare(ledger.Gap{Epoch: e.Epoch, From: e.From, To: e.To})
		}
	}
}
