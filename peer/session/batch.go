package session

import (
	"math"
	"time"
)

// Never is a wake-up that does not come: nothing will change without an event.
const Never time.Duration = math.MaxInt64

// Batch is consecutive samples of one stream, as one Data frame carries them.
type Batch struct {
	Seq   uint64        // of the first sample; the first of an epoch has 1
	Count int           // samples, at least 1
	At    time.Duration // when it was pushed
	Body  []byte        // header and payload; never modified again
}

// Last is the sequence number of the last sample.
func (b Batch) Last() uint64 { return b.Seq + uint64(b.Count) - 1 }

// batchOverhead is what a batch costs beside its bytes, in bytes, so that
// bounds in bytes bound the memory of many tiny batches, too.
const batchOverhead = 64

func (b Batch) size() int { return len(b.Body) + batchOverhead }
