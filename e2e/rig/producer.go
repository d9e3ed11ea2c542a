package rig

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
)

// LogStream is the stream of numbered events that the ledger is kept of.
const LogStream = "log"

const (
	eventEvery = 50 * time.Millisecond
	eventSize  = 40 // bytes of filling
)

// DeclareLog makes the stream known before anybody asks for it, so that a viewer stands at its head when the first event comes.
func DeclareLog(device *program.Program) error {
	return device.Write(`{"describe": "` + LogStream + `", "class": "event", "kind": "text"}`)
}

// Producer writes numbered events to a device's standard input at a steady rate and keeps the book.
type Producer struct {
	run   int
	every time.Duration
	stop  chan struct{}
	done  chan struct{}

	mu   sync.Mutex
	last uint64 // guarded by mu
}

// StartProducer begins with number 1. run tells one start of the device from another. Stop ends it.
func StartProducer(device *program.Program, run int) *Producer {
	return ProduceEvery(device, run, eventEvery)
}

// ProduceEvery is StartProducer at another rate.
func ProduceEvery(device *program.Program, run int, every time.Duration) *Producer {
	p := &Producer{run: run, every: every, stop: make(chan struct{}), done: make(chan struct{})}
	go p.produce(device)
	return p
}

func (p *Producer) produce(device *program.Program) {
	defer close(p.done)
	tick := time.NewTicker(p.every)
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

func (p *Producer) next(device *program.Program) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	entry := ledger.Sent{Run: p.run, Number: p.last + 1}
	line, err := json.Marshal(map[string]any{"stream": LogStream, "class": "event", "value": entry.Text(eventSize)})
	if err != nil {
		return err
	}
	if err := device.Write(string(line)); err != nil {
		return err
	}
	p.last++
	return nil
}

// Stop ends the production; nothing is written afterwards. It may be called again.
func (p *Producer) Stop() {
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	<-p.done
}

// Count is how many events were written so far.
func (p *Producer) Count() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// IsNumber matches the event with that number.
func IsNumber(number uint64) func(Event) bool {
	return func(e Event) bool {
		return e.Type == "sample" && e.Stream == LogStream && e.Seq == number && !e.Retained
	}
}

const (
	lastEvent = 15 * time.Second       // until the last event has arrived, at most
	echoes    = 300 * time.Millisecond // for a duplicate that should not come
)

// Settle ends the production, waits until the last event has arrived and closes the book on all events from `from` on.
func (p *Producer) Settle(w *Watcher, from uint64) (ledger.Verdict, error) {
	return p.SettleLife(w, from, 0)
}

// SettleLife is Settle for a viewer that began anew behind a mark: it must have all events there, kept from before or new.
func (p *Producer) SettleLife(w *Watcher, from uint64, mark int) (ledger.Verdict, error) {
	p.Stop()
	last := p.Count()
	_, missing := w.Await("the last event", mark, lastEvent, IsNumber(last))
	time.Sleep(echoes)
	var book ledger.Book
	for n := from; n <= last; n++ {
		book.Send(ledger.Sent{Run: p.run, Number: n})
	}
	if err := w.Enter(&book, from, mark); err != nil {
		return ledger.Verdict{}, err
	}
	return book.Close(), missing
}

// Enter puts down what the viewer was handed: live samples and declared gaps of the log stream.
func (w *Watcher) Enter(book *ledger.Book, from uint64, mark int) error {
	events, err := w.Events()
	if err != nil {
		return err
	}
	for _, e := range events[mark:] {
		if e.Stream != LogStream || e.Retained {
			continue
		}
		switch {
		case e.Type == "sample" && e.Seq >= from:
			book.Deliver(ledger.Delivered{Epoch: e.Epoch, Seq: e.Seq, Text: e.String()})
		case e.Type == "gap":
			book.Declare(ledger.Gap{Epoch: e.Epoch, From: e.From, To: e.To})
		}
	}
	return nil
}
