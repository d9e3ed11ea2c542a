package peer

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// fixedPast yields batches of these sizes.
type fixedPast []int

func (p *fixedPast) Next() (Kept, error) {
	if len(*p) == 0 {
		return Kept{}, io.EOF
	}
	size := (*p)[0]
	*p = (*p)[1:]
	return Kept{Epoch: 7, Number: 1, Body: bytes.Repeat([]byte{byte(size)}, size)}, nil
}

func (p *fixedPast) Close() {}

// Small batches share a chunk, a large one has its own; as many chunks come at once as were wanted, in order, and the last one says so.
func TestPastReaderHandsOverWhatIsWanted(t *testing.T) {
	var past fixedPast
	for i := range 200 {
		past = append(past, 100+i, 2*maxChunk)
		past = append(past, 200, 300, 400)
	}
	kept := append(fixedPast(nil), past...)
	const wanted = 20 << 10
	r := pastReader{past: &past, epoch: 7, transfer: "00000001", began: time.Now().Add(-pastSettles), told: map[place]bool{}}
	want := make(chan int, 1)
	want <- wanted
	var got []byte
	hands, ended := 0, false
	r.run(t.Context(), want, func(chunks [][]byte, last bool) {
		size := 0
		for i, chunk := range chunks {
			if size >= wanted {
				t.Errorf("chunk %d came behind %d bytes, %d were wanted", i, size, wanted)
			}
			size += len(chunk)
			if len(chunk) > maxChunk && len(sizes(t, chunk)) > 1 {
				t.Errorf("a chunk of %d bytes has %d frames", len(chunk), len(sizes(t, chunk)))
			}
			got = append(got, chunk...)
		}
		if size < wanted && !last {
			t.Errorf("only %d bytes came, %d were wanted", size, wanted)
		}
		hands, ended = hands+1, last
		want <- wanted
	})
	if !ended || hands < 10 {
		t.Errorf("it ended: %v, after %d times", ended, hands)
	}
	if lengths := sizes(t, got); len(lengths) != len(kept) {
		t.Errorf("%d batches came, want %d", len(lengths), len(kept))
	} else {
		for i, n := range lengths {
			if n != kept[i] {
				t.Fatalf("batch %d has %d bytes, want %d", i, n, kept[i])
			}
		}
	}
}

// sizes are those of the batches in chunks, up to the end of the transfer.
func sizes(t *testing.T, chunk []byte) (lengths []int) {
	t.Helper()
	for len(chunk) > 0 {
		f, rest, err := wire.NextFrame(chunk)
		if err != nil {
			t.Fatal(err)
		}
		if chunk = rest; f.Type == wire.TypeData {
			lengths = append(lengths, len(f.Body))
			continue
		}
		if m, err := signal.Parse(f.Body); err != nil || !m.Done {
			t.Errorf("%+v came, %v", m, err)
		}
	}
	return lengths
}

func TestPastReaderEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := pastReader{past: new(fixedPast), told: map[place]bool{}}
	r.run(ctx, make(chan int), func([][]byte, bool) { t.Error("something was handed over") })
}
