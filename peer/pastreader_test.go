package peer

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
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

func (p *fixedPast) Settled() bool                  { return true }
func (p *fixedPast) Ends() map[string]wire.Position { return nil }
func (p *fixedPast) Close()                         {}

// Small batches share a chunk, a large one has its own; as many chunks come at once as were wanted, in order, and the last one says so.
func TestPastReaderHandsOverWhatIsWanted(t *testing.T) {
	var past fixedPast
	for i := range 200 {
		past = append(past, 100+i, 2*maxChunk)
		past = append(past, 200, 300, 400)
	}
	kept := append(fixedPast(nil), past...)
	const wanted = 20 << 10
	r := pastReader{past: &past, epoch: 7, transfer: "00000001", began: time.Now(), told: map[place]string{}}
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
		if m, err := signal.Parse(f.Body); err != nil || m.Type != signal.History {
			t.Errorf("%+v came, %v", m, err)
		}
	}
	return lengths
}

func TestPastReaderEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := pastReader{past: new(fixedPast), told: map[place]string{}}
	r.run(ctx, make(chan int), func([][]byte, bool) { t.Error("something was handed over") })
}

// namedPast yields these.
type namedPast []Kept

func (p *namedPast) Next() (Kept, error) {
	if len(*p) == 0 {
		return Kept{}, io.EOF
	}
	k := (*p)[0]
	*p = (*p)[1:]
	return k, nil
}

func (p *namedPast) Settled() bool                  { return true }
func (p *namedPast) Ends() map[string]wire.Position { return nil }
func (p *namedPast) Close()                         {}

// In another run streams have other numbers. The gap at a run's end has the one that its stream has in the next run, which is
// another stream's in its own: whose each frame is can be told all the same.
func TestPastReaderTellsStreamsApart(t *testing.T) {
	keep := func(name string, epoch, number uint32, gap bool) Kept {
		k := Kept{Stream: StreamConfig{Name: name}, Epoch: epoch, Number: number, Body: []byte(name)}
		if gap {
			k.Gap = wire.Gap{Stream: number, Epoch: epoch, From: 7, Reason: wire.GapRestart}
		}
		return k
	}
	past := namedPast{
		keep("a", 1, 1, false), keep("b", 1, 2, false),
		keep("b", 1, 1, true), keep("b", 2, 1, false), // of the durable ones, say
		keep("a", 1, 1, false), keep("a", 1, 2, true), keep("a", 2, 2, false),
	}
	r := pastReader{past: &past, epoch: 2, transfer: "00000001", began: time.Now(), told: map[place]string{}}
	want := make(chan int, 1)
	want <- 1 << 20
	names, got := map[place]string{}, ""
	r.run(t.Context(), want, func(chunks [][]byte, _ bool) {
		for _, chunk := range chunks {
			for f, err := range wire.Frames(chunk) {
				if err != nil {
					t.Fatal(err)
				}
				switch f.Type {
				case wire.TypeSignal:
					m, _ := signal.Parse(f.Body)
					for _, s := range m.Streams {
						epoch, _, _ := signal.ParsePosition(m.Epoch + ":0")
						names[place{epoch, uint64(s.ID)}] = s.Name
					}
				case wire.TypeGap:
					g, _ := wire.ParseGap(f.Body)
					got += names[place{g.Epoch, uint64(g.Stream)}] + "- "
				case wire.TypeData:
					got += string(f.Body) + " "
				}
			}
		}
	})
	if got != "a b b- b a a- a " {
		t.Errorf("%q came", got)
	}
}

// slowPast yields batches, and others that take so long to get where they can be read.
type slowPast struct {
	fixedPast
	slow  fixedPast
	there time.Time
}

func (p *slowPast) Next() (Kept, error) {
	if len(p.fixedPast) > 0 || time.Now().Before(p.there) {
		return p.fixedPast.Next()
	}
	return p.slow.Next()
}

func (p *slowPast) Settled() bool { return !time.Now().Before(p.there) }

// What was made before the request is waited for, not for ever, and what is there is not kept back meanwhile.
func TestPastReaderWaitsForTheDisk(t *testing.T) {
	for _, c := range []struct {
		takes time.Duration
		want  int // batches
	}{{0, 2}, {4 * time.Second, 2}, {time.Hour, 1}} {
		synctest.Test(t, func(t *testing.T) {
			past := &slowPast{fixedPast{100}, fixedPast{100}, time.Now().Add(c.takes)}
			r := pastReader{past: past, epoch: 7, transfer: "00000001", began: time.Now(), told: map[place]string{}}
			want, got, at := make(chan int, 1), 0, time.Now()
			want <- 1 << 10
			r.run(t.Context(), want, func(chunks [][]byte, _ bool) {
				if silent := time.Since(at); silent > pastSilence+pastSettleStep || len(chunks) == 0 {
					t.Errorf("a disk that takes %v: %d chunks after %v", c.takes, len(chunks), silent)
				}
				for _, chunk := range chunks {
					got += len(sizes(t, chunk))
				}
				at = time.Now()
				want <- 1 << 10
			})
			if took := time.Since(r.began); got != c.want || took > pastSettles+pastSilence {
				t.Errorf("a disk that takes %v: %d batches after %v", c.takes, got, took)
			}
		})
	}
}
