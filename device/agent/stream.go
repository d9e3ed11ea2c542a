package agent

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// outlet is where batches go: a *peer.Stream.
type outlet interface {
	Publish(count int, payload []byte) error // copies the payload, never blocks
	Window() (wait, left time.Duration)      // how long a sample may wait for company now, and when three packets shall have followed its own
}

// Stream takes the values of one stream and publishes them in batches: on a
// path with a long way a packet is worth waiting a moment for. Its methods are
// safe for concurrent use and never wait for the network.
type Stream struct {
	out     outlet // set once
	name    string
	class   wire.Class
	durable bool // what is not kept is refused by Put
	kind    telemetry.Kind
	limit   int // bytes of a batch's payload
	log     *slog.Logger
	clock   func() time.Time

	putting sync.Mutex        // held by Put of a durable stream, so that what is refused is its own
	sending sync.Mutex        // held while a batch is encoded and published, so that batches leave in order
	spare   *telemetry.Packer // guarded by sending
	payload []byte            // guarded by sending

	mu      sync.Mutex
	pending *telemetry.Packer // guarded by mu
	first   time.Time         // guarded by mu: when the oldest sample of pending came
	due     time.Time         // guarded by mu: when pending leaves at the latest, for packets to be as often as they shall
	left    time.Duration     // guarded by mu: in which they shall be that often
	last    time.Time         // guarded by mu: when the newest sample came
	spacing time.Duration     // guarded by mu: between samples, the short ones of late
	timer   *time.Timer       // guarded by mu
	hasty   bool              // guarded by mu: the next sample waits for no company
}

func newStream(s source.Stream, out outlet, log *slog.Logger) *Stream {
	stream := &Stream{
		out: out, name: s.Name, class: s.Class, durable: s.Durable, kind: s.Meta.Kind, log: log, clock: time.Now,
		limit: telemetry.PayloadLimit(s.Class), pending: &telemetry.Packer{}, spare: &telemetry.Packer{},
	}
	stream.pending.Reset(stream.kind)
	stream.spare.Reset(stream.kind)
	stream.timer = time.AfterFunc(time.Hour, stream.leave)
	stream.timer.Stop()
	return stream
}

// Name is the stream's name.
func (s *Stream) Name() string { return s.name }

// Set publishes a number as of now.
func (s *Stream) Set(x float64) error { return s.now(telemetry.NumberValue(x)) }

// SetBool publishes a truth as of now.
func (s *Stream) SetBool(on bool) error { return s.now(telemetry.BoolValue(on)) }

// SetText publishes a text of up to 8 KiB as of now.
func (s *Stream) SetText(text string) error { return s.now(telemetry.TextValue(text)) }

// SetBytes publishes up to 8 KiB as of now. They are copied.
func (s *Stream) SetBytes(data []byte) error { return s.now(telemetry.BytesValue(data)) }

func (s *Stream) now(v telemetry.Value) error { return s.Put(source.Stamp(s.clock()), v) }

// maxTime bounds the time of a sample, in µs: what the format can hold.
const maxTime = 1<<52 - 1

// Put publishes the value that was true at t, in µs since the Unix epoch on
// this device's clock. It implements source.Writer. Of a durable stream nil
// means that the agent has it and will keep it, and an error, such as
// spool.ErrNoRoom, that it is as if it had not been put: that it may be put again.
func (s *Stream) Put(t int64, v telemetry.Value) error {
	if v.Kind() != s.kind {
		return fmt.Errorf("stream %q has %s values, this one is %s: %w", s.name, s.kind, v.Kind(), source.ErrKind)
	}
	if err := v.Check(); err != nil {
		return fmt.Errorf("stream %q: %w", s.name, err)
	}
	if t < 0 || t > maxTime {
		return fmt.Errorf("stream %q: %w: %d µs", s.name, source.ErrTime, t)
	}
	if s.durable {
		return s.putDurable(t, v)
	}
	for !s.add(t, v) {
		s.flush()
	}
	return nil
}

// putDurable publishes a value by itself.
func (s *Stream) putDurable(t int64, v telemetry.Value) error {
	s.putting.Lock()
	defer s.putting.Unlock()
	s.mu.Lock()
	s.pending.Add(t, v, s.limit) // there is nothing else in it, and one that was checked fits
	s.mu.Unlock()
	return s.publish()
}

// add puts a sample into the pending batch and sees to it that it leaves in
// time; false if there is no room for it.
func (s *Stream) add(t int64, v telemetry.Value) bool {
	wait, left := s.out.Window()
	now := time.Now()
	s.mu.Lock()
	if !s.pending.Add(t, v, s.limit) {
		s.mu.Unlock()
		return false
	}
	first := s.pending.Batch.Len() == 1
	s.left = left
	last := s.isLast(now, wait, first) || s.hasty
	s.hasty = false
	if first && !last {
		s.timer.Reset(s.leaves(wait).Sub(now))
	}
	s.mu.Unlock()
	if last {
		s.leave()
	}
	return true
}

// hurry has what waits for company leave, or the next sample at once if nothing does: somebody waits for a first one.
func (s *Stream) hurry() {
	s.mu.Lock()
	s.hasty = s.pending.Batch.Len() == 0
	s.mu.Unlock()
	s.leave()
}

// isLast notes that a sample came, the first of its batch or not, and reports
// whether the next one is to be expected only when the batch has to leave: then
// waiting on would make all of it older for nothing. After a pause as
// long as a sample may wait no company is to be expected at all.
func (s *Stream) isLast(now time.Time, wait time.Duration, first bool) bool {
	gap := now.Sub(s.last)
	s.last = now
	if first {
		s.first = now
	}
	if gap >= wait {
		s.spacing = wait
		return first
	}
	if s.spacing += (gap - s.spacing) / 4; gap < s.spacing {
		s.spacing = gap // what came soon was worth waiting for
	}
	return now.Add(s.spacing).After(s.leaves(wait))
}

// leaves is when the pending batch leaves at the latest.
func (s *Stream) leaves(wait time.Duration) time.Time {
	if at := s.first.Add(wait); at.Before(s.due) {
		return at
	}
	return s.due
}

// leave publishes the pending batch, and sets when the next one is due. One that leaves early, because no
// sample is expected in time, leaves the rest of its time to the next: so packets leave as seldom as they may on average.
func (s *Stream) leave() {
	s.mu.Lock()
	if s.pending.Batch.Len() == 0 { // the timer of one that has left
		s.mu.Unlock()
		return
	}
	now, every := time.Now(), s.every()
	s.due = s.due.Add(every)
	if least := now.Add(every / 2); s.due.Before(least) {
		s.due = now.Add(every + s.spacing/8) // every is quarters of spacing: so no sample is expected just when it is due
	} else if most := now.Add(every + s.spacing*7/8); s.due.After(most) {
		s.due = most
	}
	s.mu.Unlock()
	s.flush()
}

// every is the longest time between packets, on average, with which the fourth one leaves in time after the first sample that
// the packet before could not take. They leave with samples: so it is samples that count.
func (s *Stream) every() time.Duration {
	if s.spacing < time.Millisecond {
		return s.left / 4
	}
	return (s.left + s.spacing) / s.spacing * s.spacing / 4
}

// flush publishes the pending batch, if there is one.
func (s *Stream) flush() {
	if err := s.publish(); err != nil { // every sample was checked when it came
		s.log.Error("a batch cannot be published", "stream", s.name, "error", err)
	}
}

func (s *Stream) publish() error {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	full := s.pending
	s.pending, s.spare = s.spare, full
	s.mu.Unlock()
	if full.Batch.Len() == 0 {
		return nil
	}
	payload, err := telemetry.Append(s.payload[:0], &full.Batch)
	if err == nil {
		s.payload = payload
		err = s.out.Publish(full.Batch.Len(), payload)
	}
	full.Reset(s.kind)
	return err
}

// redescribe takes a new description of the same stream.
func (s *Stream) redescribe(next source.Stream, meta []byte) error {
	switch {
	case next.Class != s.class:
		return fmt.Errorf("stream %q is %s: %w", s.name, s.class, source.ErrClass)
	case next.Meta.Kind != s.kind:
		return fmt.Errorf("stream %q has %s values: %w", s.name, s.kind, source.ErrKind)
	case next.Durable != s.durable:
		return fmt.Errorf("stream %q: %w", s.name, telemetry.ErrDurable)
	}
	if d, ok := s.out.(describer); ok {
		d.Describe(slices.Clone(meta))
	}
	return nil
}
