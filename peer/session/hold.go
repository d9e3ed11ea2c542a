package session

import (
	"bytes"
	"slices"
	"sort"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Bounds of what came early in one stream (section 5.1).
const (
	maxHeld      = 1024    // batches
	maxHeldBytes = 1 << 20 // with batchOverhead for each
)

// hold keeps batches that came before their predecessors, in order of Seq.
type hold struct {
	batches []heldBatch
	bytes   int
	shared  *Early // has bytes in it, too
}

type heldBatch struct {
	header  wire.Header
	payload []byte // a copy
}

func (b heldBatch) size() int { return len(b.payload) + batchOverhead }

func (h *hold) empty() bool { return len(h.batches) == 0 }

// first is the first sample held.
func (h *hold) first() (seq uint64, ok bool) {
	if h.empty() {
		return 0, false
	}
	return h.batches[0].header.Seq, true
}

// add keeps a copy. extends: it only lengthens what was held at the very end,
// so that no new hole is seen. Without room the latest give way, which are sent
// again: dropped is their number of samples, and the reason Limit if this one
// is among them.
func (h *hold) add(header wire.Header, payload []byte) (extends bool, reason DropReason, dropped int) {
	i := sort.Search(len(h.batches), func(i int) bool { return h.batches[i].header.Seq >= header.Seq })
	if h.covered(i, header) {
		return false, Duplicate, 0
	}
	atEnd := i == len(h.batches)
	extends = atEnd && i > 0 && h.batches[i-1].header.Last()+1 >= header.Seq
	b := heldBatch{header, bytes.Clone(payload)}
	h.batches = slices.Insert(h.batches, i, b)
	h.grow(b.size())
	for len(h.batches) > maxHeld || h.bytes > maxHeldBytes || h.shared.full() {
		dropped += h.dropLatest()
		if i == len(h.batches) {
			reason = Limit
		}
	}
	return extends, reason, dropped
}

func (h *hold) grow(size int) {
	h.bytes += size
	h.shared.used += size
}

// covered reports whether all samples of the batch to be put at i are held.
func (h *hold) covered(i int, header wire.Header) bool {
	missing := header.Seq
	for _, b := range h.batches[max(0, i-1):] {
		if b.header.Seq > missing {
			break
		}
		missing = max(missing, b.header.Last()+1)
	}
	return missing > header.Last()
}

func (h *hold) dropLatest() (samples int) {
	n := len(h.batches) - 1
	latest := h.batches[n]
	h.batches[n] = heldBatch{}
	h.batches = h.batches[:n]
	h.grow(-latest.size())
	return latest.header.Count
}

// take removes and returns the first batch if it follows the position
// without a hole. Batches that lie before the position are forgotten.
func (h *hold) take(position uint64) (b heldBatch, ok bool) {
	for !h.empty() && h.batches[0].header.Seq <= position+1 {
		b = h.batches[0]
		h.batches[0] = heldBatch{}
		h.batches = h.batches[1:]
		h.grow(-b.size())
		if b.header.Last() > position {
			return b, true
		}
	}
	return heldBatch{}, false
}

func (h *hold) ranges() (ranges []wire.Range) {
	for _, b := range h.batches {
		ranges = append(ranges, wire.Range{From: b.header.Seq, To: b.header.Last()})
	}
	return ranges
}
