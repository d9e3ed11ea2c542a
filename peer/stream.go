package peer

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// StreamConfig declares a stream.
type StreamConfig struct {
	Name     string          // 1 … 128 bytes, no control or invisible characters; unique in its Host
	Class    wire.Class      // Live or Event
	Deadline time.Duration   // of Live samples; 0: 250 ms. Not used for Event
	Meta     json.RawMessage // opaque to this package: what a screen needs to show the stream
}

// defaultDeadline of Live samples.
const defaultDeadline = 250 * time.Millisecond

// maxFresh bounds the bytes of a stream that wait for the loop: more can only
// gather while Run is not running or the machine has no time for it.
const maxFresh = 1 << 20

// Stream is one published stream. Publish may be called from any goroutine.
type Stream struct {
	host  *Host // set once
	id    uint32
	cfg   StreamConfig
	epoch uint32

	// Owned by the Host's loop.
	ring     *session.Ring // of class Event
	newest   session.Batch // Count 0: none yet
	unstored bool          // the server does not have newest
	taken    []session.Batch

	mu       sync.Mutex
	lastSeq  uint64          // guarded by mu
	fresh    []session.Batch // guarded by mu; made, not yet taken by the loop
	freshLen int             // guarded by mu; bytes in fresh
	dropped  uint64          // guarded by mu; samples dropped from fresh, reason queue-full
}

// Publish sends one encoded batch of count samples, 1 … wire.MaxCount, to who
// wants it. It copies payload and never blocks. A batch that is too large for
// a frame, or count out of range, is refused with an error and takes no
// sequence numbers.
func (s *Stream) Publish(count int, payload []byte) error {
	if count < 1 || count > wire.MaxCount || len(payload) > wire.MaxData-64 {
		return errBatch
	}
	s.mu.Lock()
	h := s.header(s.lastSeq+1, count)
	s.lastSeq += uint64(count)
	body := append(wire.AppendHeader(make([]byte, 0, 32+len(payload)), h), payload...)
	first := len(s.fresh) == 0
	s.fresh = append(s.fresh, session.Batch{Seq: h.Seq, Count: count, At: s.host.loop.now(), Body: body})
	s.freshLen += len(body)
	for s.freshLen > maxFresh {
		s.freshLen -= len(s.fresh[0].Body)
		s.dropped += uint64(s.fresh[0].Count)
		s.fresh = s.fresh[1:]
	}
	s.mu.Unlock()
	if first {
		s.host.wake(s)
	}
	return nil
}

func (s *Stream) header(seq uint64, count int) wire.Header {
	h := wire.Header{Class: s.cfg.Class, Stream: s.id, Epoch: s.epoch, Seq: seq, Count: count}
	if s.cfg.Class == wire.Live {
		h.Deadline = uint64(s.cfg.Deadline / time.Millisecond)
	}
	return h
}

// take hands the fresh batches to the loop.
func (s *Stream) take() []session.Batch {
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

// Window is how long samples may wait to be sent together now: the smaller of
// 20 ms, half the one-way delay and a tenth of the deadline; 0 for classes
// that do not wait, and on paths so short that waiting would be felt.
func (s *Stream) Window() time.Duration {
	if s.cfg.Class != wire.Live {
		return 0
	}
	w := min(time.Duration(s.host.oneWay.Load())/2, s.cfg.Deadline/10, maxWindow)
	if w < minWindow {
		return 0
	}
	return w
}

const (
	maxWindow = 20 * time.Millisecond
	minWindow = time.Millisecond // below it a timer costs more than a packet
)

// head is the last sequence number published.
func (s *Stream) head() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastSeq
}

// describe is the stream as the server is told of it.
func (s *Stream) describe() signal.Stream {
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

// Describe replaces what a screen needs to show the stream. Who watches is
// told at once; class, deadline and name stay as they are.
func (s *Stream) Describe(meta json.RawMessage) {
	go s.host.loop.post(func() {
		s.cfg.Meta = meta
		s.host.announce(s)
	})
}
