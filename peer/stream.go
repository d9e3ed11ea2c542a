package peer

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// StreamConfig declares a stream.
type StreamConfig struct {
	Name     string          // 1 … 128 bytes, no control or invisible characters; unique in its Host
	Class    wire.Class      // Live or Event
	Deadline time.Duration   // of Live samples; 0: 250 ms. Not used for Event
	Durable  bool            // of class Event: what the Host's Keeper does not keep is refused, by Publish
	Meta     json.RawMessage // opaque to this package: what a screen needs to show the stream; at most 4 KiB of JSON
}

// defaultDeadline of Live samples.
const defaultDeadline = 250 * time.Millisecond

// maxMeta is what a server keeps of one stream's meta, in bytes.
const maxMeta = 4 << 10

var errMeta = fmt.Errorf("peer: meta is not JSON of at most %d bytes", maxMeta)

func (c StreamConfig) check() error {
	if err := wire.CheckName(c.Name, wire.MaxStreamName); err != nil {
		return fmt.Errorf("stream name: %w", err)
	}
	if c.Class != wire.Live && c.Class != wire.Event {
		return fmt.Errorf("stream %s: class %v cannot be published, want live or event", c.Name, c.Class)
	}
	if c.Durable && c.Class != wire.Event {
		return fmt.Errorf("stream %s: only class event can be durable, this is %v", c.Name, c.Class)
	}
	if err := checkMeta(c.Meta); err != nil {
		return fmt.Errorf("stream %s: %w", c.Name, err)
	}
	return nil
}

func checkMeta(meta json.RawMessage) error {
	if len(meta) > maxMeta || meta != nil && !json.Valid(meta) {
		return errMeta
	}
	return nil
}

// headroom is what a frame has beside a batch's payload, in bytes: length, hop part and header at their longest.
const headroom = 64

// maxPayload is the size of a batch's payload, in bytes.
const maxPayload = wire.MaxData - headroom

var errBatch = errors.New("peer: a batch has 1 to 1024 samples and at most 16 kB")

// maxFresh bounds the bytes of a stream that wait for the loop: more can only
// gather while Run is not running or the machine has no time for it.
const maxFresh = 1 << 20

// Stream is one published stream. Its methods may be called from any goroutine.
type Stream struct {
	host  *Host // set once
	id    uint32
	cfg   StreamConfig // its Meta is guarded by mu
	epoch uint32

	// Owned by the Host's loop.
	ring     *session.Ring // of class Event
	newest   batch         // Count 0: none yet
	every    time.Duration // from the batch before to newest; an hour for the first
	unstored bool          // the server does not have newest
	revision uint64        // of all descriptions, with the present one of this stream
	queued   atomic.Int64  // frames that all share, of class Event, that wait for the link
	taken    []batch

	mu       sync.Mutex
	lastSeq  uint64  // guarded by mu
	body     []byte  // guarded by mu; where a batch is put together
	fresh    []batch // guarded by mu; made, not yet taken by the loop
	freshLen int     // guarded by mu; bytes in fresh
	dropped  uint64  // guarded by mu; samples dropped from fresh, reason queue-full
	will     []byte  // guarded by mu; nil: none
}

// batch is a batch with the frame that all who have no conn number share: its
// Body is the end of it.
type batch struct {
	session.Batch
	frame []byte
}

// Publish sends one encoded batch of count samples, 1 … wire.MaxCount, to who
// wants it. It copies payload and never blocks. A batch that is too large for
// a frame, or count out of range, is refused with an error and takes no
// sequence numbers; and so is one of a durable stream that the Keeper does not take.
func (s *Stream) Publish(count int, payload []byte) error {
	if count < 1 || count > wire.MaxCount || len(payload) > maxPayload {
		return errBatch
	}
	s.mu.Lock()
	first := len(s.fresh) == 0
	b, err := s.makeLocked(count, payload)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	s.fresh = append(s.fresh, b)
	s.freshLen += len(b.frame)
	for s.freshLen > maxFresh {
		s.dropOldestLocked()
	}
	s.mu.Unlock()
	if first {
		s.host.wake(s)
	}
	return nil
}

func (s *Stream) makeLocked(count int, payload []byte) (batch, error) {
	h := wire.Header{Class: s.cfg.Class, Stream: s.id, Epoch: s.epoch, Seq: s.lastSeq + 1, Count: count}
	if h.Class == wire.Live {
		h.Deadline = uint64(s.cfg.Deadline / time.Millisecond)
	}
	s.body = append(wire.AppendHeader(s.body[:0], h), payload...)
	frame := make([]byte, 0, wire.FrameSize(wire.Hop{}, len(s.body)))
	frame = wire.AppendFrame(frame, wire.TypeData, wire.Hop{}, s.body)
	body := frame[len(frame)-len(s.body):]
	if err := s.host.cfg.Keeper.Keep(s.cfg, h, body); err != nil && s.cfg.Durable {
		return batch{}, fmt.Errorf("stream %s is durable, and this cannot be kept: %w", s.cfg.Name, err)
	}
	s.lastSeq += uint64(count)
	return batch{
		Batch: session.Batch{Seq: h.Seq, Count: count, At: s.host.loop.now(), Body: body},
		frame: frame,
	}, nil
}

func (s *Stream) dropOldestLocked() {
	s.freshLen -= len(s.fresh[0].frame)
	s.dropped += uint64(s.fresh[0].Count)
	s.fresh[0] = batch{}
	s.fresh = s.fresh[1:]
	s.host.meter.drop(session.QueueFull, 1)
}

// take hands the fresh batches to the loop.
func (s *Stream) take() []batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.taken)
	s.fresh, s.taken, s.freshLen = s.taken[:0], s.fresh, 0
	return s.taken
}

// Dropped is the number of samples that were dropped before anybody could be
// sent them, because the Host had no time: reason queue-full.
func (s *Stream) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Window is how long a sample may wait now to be sent together with others: at most 22 ms, the one-way delay, or a quarter
// of what the way leaves of the deadline, which is returned as well: in it the sample shall leave, and three packets
// follow that mend it if it was lost. 0, 0 for classes that do not wait, and on paths so short that waiting would be felt.
func (s *Stream) Window() (wait, left time.Duration) {
	if s.cfg.Class != wire.Live {
		return 0, 0
	}
	oneWay := time.Duration(s.host.oneWay.Load())
	left = s.cfg.Deadline - oneWay - timersSlack
	if wait = min(oneWay, left/4, maxWindow); wait < minWindow {
		return 0, 0
	}
	return wait, left
}

const (
	maxWindow = 22 * time.Millisecond // three samples at 100 Hz, which do not come on the tick
	minWindow = time.Millisecond      // below it a timer costs more than a packet

	timersSlack = 3 * time.Millisecond // of what is left of the deadline, for both ends' timers
)

// unknownWay is taken for the one-way delay where none was measured.
const unknownWay = 40 * time.Millisecond

// head is the last sequence number published.
func (s *Stream) head() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastSeq
}

// Describe replaces what a screen needs to show the stream. Who watches is
// told at once; class, deadline and name stay as they are. What is no JSON of
// at most 4 KiB is not taken.
func (s *Stream) Describe(meta json.RawMessage) {
	if err := checkMeta(meta); err != nil {
		s.host.cfg.Endpoint.log().Warn("stream not described anew", "stream", s.cfg.Name, "err", err)
		return
	}
	s.mu.Lock()
	s.cfg.Meta = meta
	s.mu.Unlock()
	s.host.redescribe(s)
}

// describe is the stream as the server is told of it.
func (s *Stream) describe() signal.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := signal.Stream{ID: s.id, Name: s.cfg.Name, Class: s.cfg.Class.String(), Meta: s.cfg.Meta}
	if s.cfg.Class == wire.Live {
		d.DeadlineMS = uint64(s.cfg.Deadline / time.Millisecond)
	}
	return d
}

// describeFrom is the stream as a Conn is told of it, whose delivery begins
// after the given sequence number.
func (s *Stream) describeFrom(after uint64) signal.Stream {
	d := s.describe()
	if s.ring != nil {
		d.Start = signal.FormatPosition(s.epoch, after)
	}
	return d
}

// frame is a batch for a carrier, as one that is made now.
func (s *Stream) frame(now time.Duration, b batch) carrier.Frame {
	f := carrier.Frame{Class: s.cfg.Class, Stream: s.id, Bytes: b.frame}
	if s.cfg.Class == wire.Live {
		f.Deadline = time.Now().Add(s.cfg.Deadline - (now - b.At))
		f.Span = s.span(b)
	} else {
		f.Waiting = &s.queued
	}
	return f
}

// span is by how much the first sample of a new batch is older than its last, as far as that can be told without reading it.
func (s *Stream) span(b batch) time.Duration {
	since := time.Duration(maxWindow)
	if s.newest.Count > 0 {
		since = b.At - s.newest.At
	}
	return min(maxWindow, since-since/time.Duration(b.Count))
}

// keptFrame is the newest batch as a value that may be old: it has no deadline.
func (s *Stream) keptFrame(hop wire.Hop) carrier.Frame {
	size := wire.FrameSize(hop, len(s.newest.Body))
	return carrier.Frame{
		Class: s.cfg.Class, Conn: hop.Conn, Stream: s.id,
		Bytes: wire.AppendFrame(make([]byte, 0, size), wire.TypeData, hop, s.newest.Body),
	}
}
