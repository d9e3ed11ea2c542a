package agent

import (
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// pending is a batch in the making.
type pending struct {
	batch telemetry.Batch
	blobs []byte // the memory of its bytes values
	size  int    // bytes that its payload has at most
	last  int64  // time of the newest sample
}

func (p *pending) reset(kind telemetry.Kind) {
	p.batch.Reset(kind)
	p.blobs, p.size, p.last = p.blobs[:0], 0, 0
}

// payloadHead is form and first time, in bytes, at their longest.
const payloadHead = 9

// add adds a sample that was checked; false if the payload would get longer
// than limit, or the batch too many samples. A batch of one has no limit.
func (p *pending) add(t int64, v telemetry.Value, limit int) bool {
	cost := size(v)
	if p.batch.Len() == 0 {
		cost += payloadHead
	} else {
		cost += svarintLen(t - p.last)
		if p.size+cost > limit || p.batch.Len() == wire.MaxCount {
			return false
		}
	}
	if v.Kind() == telemetry.Bytes {
		v = telemetry.BytesValue(p.keep(v.Bytes()))
	}
	if p.batch.Add(t, v) != nil {
		return false
	}
	p.size, p.last = p.size+cost, t
	return true
}

// keep copies bytes into the batch's own memory. Where that grows, earlier
// values stay in the memory they are in.
func (p *pending) keep(b []byte) []byte {
	start := len(p.blobs)
	p.blobs = append(p.blobs, b...)
	return p.blobs[start:len(p.blobs):len(p.blobs)]
}

// size is how many bytes a value takes at most, in whatever encoding.
func size(v telemetry.Value) int {
	const length = 2 // of the varint in front of up to 8 KiB
	switch v.Kind() {
	case telemetry.Bool:
		return 1
	case telemetry.Text:
		return length + len(v.Text())
	case telemetry.Bytes:
		return length + len(v.Bytes())
	default:
		return 8
	}
}

// svarintLen is the length of a signed varint.
func svarintLen(v int64) int {
	n := 1
	for u := uint64(v<<1) ^ uint64(v>>63); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}
