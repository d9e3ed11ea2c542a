package session

import (
	"sort"
	"time"
)

// A ring's own bounds (section 5.1): what a viewer can come back to after a
// short absence.
const (
	ringAge   = 60 * time.Second
	ringBytes = 1 << 20
)

// Ring holds the newest batches of one Event stream and overwrites its oldest,
// whoever has acknowledged them: a slow viewer gets a gap, it never blocks the
// producer.
type Ring struct {
	epoch   uint32
	budget  *Budget
	batches []Batch // batches[first:] are held, in order of Seq
	first   int
	bytes   int
	head    uint64
	patient bool
}

// NewRing returns the empty ring of a stream's epoch. b may be nil: no bound
// beside the ring's own.
func NewRing(epoch uint32, b *Budget) *Ring {
	if b == nil {
		b = NewBudget(0)
	}
	r := &Ring{epoch: epoch, budget: b}
	b.rings = append(b.rings, r)
	return r
}

// NewQueue returns a Ring that overwrites nothing: whoever pushes waits, and
// releases what was acknowledged. It is for class History.
func NewQueue(epoch uint32) *Ring {
	return &Ring{epoch: epoch, budget: NewBudget(0), patient: true}
}

// Release lets go of what ends at or before seq.
func (r *Ring) Release(seq uint64) {
	for len(r.held()) > 0 && r.held()[0].Last() <= seq {
		r.drop()
	}
}

// Bytes is what is held, in bytes, with 64 for each batch's own cost.
func (r *Ring) Bytes() int { return r.bytes }

// Epoch is the epoch whose samples the ring holds.
func (r *Ring) Epoch() uint32 { return r.epoch }

// Head is the sequence number pushed last; 0: none yet.
func (r *Ring) Head() uint64 { return r.head }

// Oldest is the first sequence number still held; Head + 1 if none is.
func (r *Ring) Oldest() uint64 {
	if held := r.held(); len(held) > 0 {
		return held[0].Seq
	}
	return r.head + 1
}

// Push adds the newest batch, made now; its Seq is to be Head + 1. A batch
// that is not beyond the head is ignored.
func (r *Ring) Push(now time.Duration, b Batch) {
	if b.Count < 1 || b.Seq <= r.head {
		return
	}
	b.At = now
	r.batches = append(r.batches, b)
	r.bytes += b.size()
	r.budget.used += b.size()
	r.head = b.Last()
	if r.patient {
		return
	}
	for r.bytes > ringBytes || now-r.held()[0].At > ringAge {
		r.drop()
	}
	r.budget.enforce()
}

func (r *Ring) held() []Batch { return r.batches[r.first:] }

// drop overwrites the oldest batch.
func (r *Ring) drop() {
	size := r.batches[r.first].size()
	r.bytes -= size
	r.budget.used -= size
	r.batches[r.first] = Batch{}
	r.first++
	if r.first > len(r.batches)/2 {
		n := copy(r.batches, r.held())
		clear(r.batches[n:])
		r.batches, r.first = r.batches[:n], 0
	}
}

// from returns the first batch held that ends at or beyond seq. It begins
// beyond seq if what was in between is gone.
func (r *Ring) from(seq uint64) (Batch, bool) {
	held := r.held()
	i := sort.Search(len(held), func(i int) bool { return held[i].Last() >= seq })
	if i == len(held) {
		return Batch{}, false
	}
	return held[i], true
}
