package peer

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// maxChunk is the size of a chunk of the past, in bytes, unless one batch
	// is larger: what one message on the reliable channel holds, for which a live sample may have to wait.
	maxChunk = 3 << 10
	// What was made before it was asked may still be on its way to the disk: a reader looks for it so often, and for so long.
	pastSettleStep = 20 * time.Millisecond
	pastSettles    = 20 * time.Second
	// pastSilence is how long a reader looks for what was asked for without handing over what there is, or the word that it still looks:
	// little of a large spool may be wanted, and a viewer asks anew when nothing comes (protocol, section 5.4).
	pastSilence = time.Second
)

// pastReader makes chunks of what a Keeper kept: frames as they were sent at
// first, with descriptions of streams of earlier runs in front of them.
type pastReader struct {
	past     Past
	epoch    uint32 // of this run
	transfer string
	began    time.Time
	numbers  map[string]uint32 // of the streams that were asked for, by name
	told     map[place]string  // names of streams, as they were described; seq is the number
	pending  [][]byte          // frames that were read and are in no chunk yet
	settled  bool              // past is
}

// run hands over chunks whenever some are wanted, so many bytes and one chunk at most beyond them, until the last one or ctx's end.
func (r *pastReader) run(ctx context.Context, want <-chan int, hand func(chunks [][]byte, last bool)) {
	defer r.past.Close()
	for last := false; !last; {
		wanted := 0
		select {
		case wanted = <-want:
		case <-ctx.Done():
			return
		}
		var chunks [][]byte
		until := time.Now().Add(pastSilence)
		for more := true; more && !last; more = wanted > 0 && time.Now().Before(until) {
			var chunk []byte
			chunk, last = r.chunk(ctx, until)
			if len(chunk) == 0 {
				break
			}
			chunks, wanted = append(chunks, chunk), wanted-len(chunk)
		}
		if len(chunks) == 0 {
			chunks = [][]byte{r.word(false)}
		}
		hand(chunks, last)
	}
}

// chunk reads until a chunk is full, or there is no more now, or it has looked for so long. It may be empty then.
func (r *pastReader) chunk(ctx context.Context, until time.Time) (chunk []byte, last bool) {
	for {
		for len(r.pending) > 0 {
			next := r.pending[0]
			switch {
			case len(chunk) > 0 && len(chunk)+len(next) > maxChunk:
				return chunk, false
			case len(chunk) > 0:
				chunk = append(chunk, next...)
			case len(next) >= maxChunk:
				chunk = next // alone, and not copied
			default:
				chunk = append(make([]byte, 0, maxChunk), next...)
			}
			r.pending = r.pending[1:]
		}
		switch {
		case ctx.Err() != nil:
			return r.word(true), true // nobody hears it
		case !time.Now().Before(until):
			return chunk, false
		}
		r.settled = r.settled || r.past.Settled() // before it is looked for
		item, err := r.past.Next()
		switch {
		case err == nil:
			r.take(item)
		case !errors.Is(err, io.EOF): // of the disk, and what is missing shows in the numbers; or it goes on looking
		case len(chunk) > 0:
			return chunk, false
		case r.settled || time.Since(r.began) > pastSettles:
			return append(r.goodbyes(), r.word(true)...), true
		default:
			waitFor(ctx, pastSettleStep)
		}
	}
}

func waitFor(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// take makes frames of what was read.
func (r *pastReader) take(k Kept) {
	// What is missing at the end of a run has the number that the stream has in the next: it may be another stream's in its own.
	if of := (place{k.Epoch, uint64(k.Number)}); k.Epoch != r.epoch && r.told[of] != k.Stream.Name {
		r.told[of] = k.Stream.Name
		r.pending = append(r.pending, appendSignal(nil, signal.Message{
			Type: signal.Describe, Epoch: signal.FormatEpoch(k.Epoch),
			Streams: []signal.Stream{{ID: k.Number, Name: k.Stream.Name, Class: k.Stream.Class.String(), Meta: k.Stream.Meta}},
		}))
	}
	t, body := wire.TypeData, k.Body
	if k.Gap.From != 0 {
		t, body = wire.TypeGap, wire.AppendGap(nil, k.Gap)
	}
	frame := make([]byte, 0, wire.FrameSize(wire.Hop{}, len(body)))
	r.pending = append(r.pending, wire.AppendFrame(frame, t, wire.Hop{}, body))
}

// goodbyes are what the viewer may have missed: where the runs ended up to which it has everything. Empty: nowhere.
func (r *pastReader) goodbyes() []byte {
	final := map[uint32]string{}
	for name, at := range r.past.Ends() {
		if number := r.numbers[name]; number != 0 && at.Epoch != r.epoch {
			final[number] = signal.FormatPosition(at.Epoch, at.Seq)
		}
	}
	if len(final) == 0 {
		return nil
	}
	return appendSignal(nil, signal.Message{Type: signal.Bye, Final: final})
}

// word says that the transfer is done, or that it is not.
func (r *pastReader) word(done bool) []byte {
	return appendSignal(nil, signal.Message{Type: signal.History, Transfer: r.transfer, Done: done})
}

// appendSignal appends a frame; a message made here always encodes.
func appendSignal(b []byte, m signal.Message) []byte {
	body, _ := m.Append(nil)
	return wire.AppendFrame(b, wire.TypeSignal, wire.Hop{}, body)
}
