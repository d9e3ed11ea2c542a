package relay

import (
	"bytes"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Value is a retained frame: its header, and the payload, which is opaque here.
type Value struct {
	Header  wire.Header
	Payload []byte
	At      time.Time // when it came
}

// Values copies what is retained, in the order of streams. want chooses among
// the streams.
func (r *Retained) Values(want func(stream uint32) bool) (values []Value) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, stream := range r.streamsLocked() {
		if !want(stream) {
			continue
		}
		k := r.newestLocked(stream)
		if _, payload, err := wire.ParseData(k.body); err == nil { // it was read when it came
			values = append(values, Value{k.header, bytes.Clone(payload), k.at})
		}
	}
	return values
}

// newestLocked is what stands for a stream: its will, if there is one.
func (r *Retained) newestLocked(stream uint32) *kept {
	if k := r.wills[stream]; k != nil {
		return k
	}
	return r.values[stream]
}

// Has reports whether the value of a stream is that of a position, or newer.
func (r *Retained) Has(stream, epoch uint32, seq uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.values[stream]
	return k != nil && k.header.Epoch == epoch && k.header.Seq+uint64(k.header.Count)-1 >= seq
}

// Changed is closed when the next value comes.
func (r *Retained) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

func (r *Retained) tellLocked() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}
