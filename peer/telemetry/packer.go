package telemetry

import "github.com/telepath-iot/telepath/peer/wire"

// Packer puts samples together to batches that fit a frame.
type Packer struct {
	Batch Batch  // what was added since Reset
	blobs []byte // the memory of its bytes values
	size  int    // bytes that its payload has at most
	last  int64  // time of the newest sample
}

// headroom is what a frame has beside its payload, in bytes: length, hop part and header at their longest.
const headroom = 64

// PayloadLimit is how many bytes the payload of more than one sample may have.
func PayloadLimit(class wire.Class) int {
	if class == wire.Live {
		return wire.MaxLiveData - headroom
	}
	return wire.MaxData - headroom
}

// Reset begins a new batch; its memory is that of the last one.
func (p *Packer) Reset(kind Kind) {
	p.Batch.Reset(kind)
	p.blobs, p.size, p.last = p.blobs[:0], 0, 0
}

// payloadHead is form and first time, in bytes, at their longest.
const payloadHead = 9

// Add adds a sample that was checked; false if the payload would get longer
// than limit, or the batch too many samples. A batch of one has no limit.
func (p *Packer) Add(t int64, v Value, limit int) bool {
	cost := size(v)
	if p.Batch.Len() == 0 {
		cost += payloadHead
	} else {
		cost += svarintLen(t - p.last)
		if p.size+cost > limit || p.Batch.Len() == wire.MaxCount {
			return false
		}
	}
	if v.Kind() == Bytes {
		v = BytesValue(p.keep(v.Bytes()))
	}
	if p.Batch.Add(t, v) != nil {
		return false
	}
	p.size, p.last = p.size+cost, t
	return true
}

// keep copies bytes into the batch's own memory. Where that grows, earlier
// values stay in the memory they are in.
func (p *Packer) keep(b []byte) []byte {
	start := len(p.blobs)
	p.blobs = append(p.blobs, b...)
	return p.blobs[start:len(p.blobs):len(p.blobs)]
}

// size is how many bytes a value takes at most, in whatever encoding.
func size(v Value) int {
	const length = 2 // of the varint in front of up to 8 KiB
	switch v.Kind() {
	case Bool:
		return 1
	case Text:
		return length + len(v.Text())
	case Bytes:
		return length + len(v.Bytes())
	default:
		return 8
	}
}
