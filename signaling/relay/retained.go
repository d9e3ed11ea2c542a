package relay

import (
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Retained keeps the newest Data frame of every stream of one device, opaque,
// with the time it came: at most wire.MaxStreams, and maxRetained bytes in
// all. A last will stands in front of the stream's value until Revive.
// It is safe for concurrent use. The zero Retained is empty.
type Retained struct {
	mu     sync.Mutex
	values map[uint32]*kept
	wills  map[uint32]*kept
	bytes  int // of all bodies

	changed chan struct{} // for who waits for the next value; nil: nobody
}

// maxRetained bounds what one device makes the server hold, in bytes: 4 KiB
// for each of 256 streams, or a few long texts among many numbers.
const maxRetained = 1 << 20

type kept struct {
	header wire.Header
	body   []byte
	at     time.Time
}

// Keep takes body, a Data frame's, as its stream's newest value, unless it is
// older than the one held. False: there are too many streams or bytes already.
func (r *Retained) Keep(h wire.Header, body []byte, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values, r.wills = make(map[uint32]*kept), make(map[uint32]*kept)
	}
	in := r.values
	if h.Will {
		in = r.wills
	}
	return r.keepLocked(in, h, body, now)
}

func (r *Retained) keepLocked(in map[uint32]*kept, h wire.Header, body []byte, now time.Time) bool {
	k := in[h.Stream]
	switch {
	case k == nil && len(in) >= wire.MaxStreams:
		return false
	case k == nil:
		k = &kept{}
	case k.header.Epoch == h.Epoch && h.Seq < k.header.Seq:
		return true
	}
	if r.bytes+len(body)-len(k.body) > maxRetained {
		return false
	}
	r.bytes += len(body) - len(k.body)
	k.header, k.at = h, now
	k.body = append(k.body[:0], body...)
	in[h.Stream] = k
	r.tellLocked()
	return true
}

// Revive forgets the wills: their device is back.
func (r *Retained) Revive() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.wills {
		r.bytes -= len(k.body)
	}
	clear(r.wills)
}

// Clear forgets everything, and returns how many values that were: the numbers of streams mean others from now on.
func (r *Retained) Clear() (values int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	values = len(r.values) + len(r.wills)
	clear(r.values)
	clear(r.wills)
	r.bytes = 0
	return values
}

// keptItself is what a value needs beside its body, in bytes, about.
const keptItself = 128

// Bytes is how much memory it takes, about.
func (r *Retained) Bytes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes + keptItself*(len(r.values)+len(r.wills))
}

// Frames are the retained frames for a joiner, for its conn number, in the
// order of streams. want chooses among the streams.
func (r *Retained) Frames(conn uint64, want func(stream uint32) bool, now time.Time) []carrier.Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	var frames []carrier.Frame
	for _, stream := range r.streamsLocked() {
		if !want(stream) {
			continue
		}
		frames = append(frames, r.newestLocked(stream).frame(conn, now))
	}
	return frames
}

func (r *Retained) streamsLocked() []uint32 {
	var streams []uint32
	for s := range r.values {
		streams = append(streams, s)
	}
	for s := range r.wills {
		if r.values[s] == nil {
			streams = append(streams, s)
		}
	}
	slices.Sort(streams)
	return streams
}

// frame carries no deadline: the newest sample of a stream is exempt from it.
func (k *kept) frame(conn uint64, now time.Time) carrier.Frame {
	hop := wire.Hop{Conn: conn, Retained: true, Held: uint64(max(now.Sub(k.at).Milliseconds(), 0))}
	return Label{Class: k.header.Class, Stream: k.header.Stream}.Build(wire.TypeData, hop, k.body)
}
