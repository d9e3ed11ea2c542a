package carrier

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// hop is what stands between the two ends of a link: it takes everything at
// once and delivers it at its rate, as a reverse proxy with large buffers does.
type hop struct {
	mu    sync.Mutex // guards all of it
	rate  float64    // bytes a second
	delay time.Duration

	channels bool          // it carries data channels,
	overhead int           // whose packets cost that much beside their frames,
	busy     time.Duration // and so much of somebody else's is before them at first

	ages      []time.Duration // of the frames that came
	bytes     int             // of frames that came
	pastBytes int             // of frames of class History that came, which have no age
	highest   int             // most under way, at steady state
}

const steadyAfter = 5 * time.Second

// carry runs a link across h for a time, sending what offer puts into the buffer.
func (h *hop) carry(t *testing.T, length time.Duration, offer func(context.Context, *Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		buffer, flow, swallowed := NewBuffer(Limits{}, AllLanes), NewFlow(), make(chan []byte, 1<<16)
		if h.channels {
			flow = NewChannelFlow()
		}
		var tasks sync.WaitGroup
		tasks.Go(func() { offer(ctx, buffer) })
		tasks.Go(func() { h.deliver(ctx, swallowed, flow, buffer) })
		limit := 16 << 10
		if h.channels {
			limit = 1100
		}
		var batch Batch
		for begin := time.Now(); ctx.Err() == nil; {
			if flow.Take(buffer.Tap(0), limit, &batch) {
				swallowed <- slices.Clone(batch.Packet)
				if time.Since(begin) > steadyAfter {
					h.highest = max(h.highest, flow.UnderWay())
				}
				continue
			}
			if err := flow.Await(buffer.Tap(0), ctx.Done(), time.Hour); err != nil {
				t.Error(err)
			}
		}
		tasks.Wait()
		time.Sleep(h.delay) // what is still in the air
	})
}

func (h *hop) deliver(ctx context.Context, swallowed <-chan []byte, flow *Flow, buffer *Buffer) {
	for free := time.Now().Add(h.busy); ; {
		select {
		case packet := <-swallowed:
			if now := time.Now(); free.Before(now) {
				free = now
			}
			h.mu.Lock()
			took, delay := time.Duration(float64(len(packet)+h.overhead)/h.rate*1e9), h.delay
			h.mu.Unlock()
			free = free.Add(took)
			time.Sleep(time.Until(free))
			time.AfterFunc(delay/2, func() { h.arrive(packet, flow, buffer) })
		case <-ctx.Done():
			return
		}
	}
}

func (h *hop) arrive(packet []byte, flow *Flow, buffer *Buffer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			panic(err)
		}
		packet = rest
		if f.Type == wire.TypeProbe {
			probe, _ := wire.ParseProbe(f.Body)
			echo := wire.AppendEcho(nil, wire.Hop{}, wire.Echo{Probe: probe, T2: uint64(time.Now().UnixMicro())})
			time.AfterFunc(h.delay/2, func() {
				if flow.Heard(time.Now(), echo) {
					buffer.Tap(0).Wake()
				}
			})
			continue
		}
		if wire.Class(f.Body[8]) == wire.History {
			h.pastBytes += len(f.Body)
			continue
		}
		h.note(f)
	}
}

// note takes the age of a frame that came.
func (h *hop) note(f wire.Frame) {
	made := int64(binary.BigEndian.Uint64(f.Body))
	h.ages = append(h.ages, time.Since(time.Unix(0, made)))
	h.bytes += len(f.Body)
}

// fresh is a frame of a stream that says when it was made, and of which class it is.
func fresh(class wire.Class, stream uint32, size int) Frame {
	now := time.Now()
	body := binary.BigEndian.AppendUint64(make([]byte, 0, size), uint64(now.UnixNano()))
	body = append(body, byte(class))
	f := Frame{Bytes: wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, append(body, make([]byte, size-len(body))...)), Class: class, Stream: stream}
	if class == wire.Live {
		f.Deadline = now.Add(250 * time.Millisecond)
	}
	return f
}

// at100Hz offers Live streams, 130 bytes a frame.
func at100Hz(streams int) func(context.Context, *Buffer) {
	return func(ctx context.Context, b *Buffer) {
		for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			for s := range streams {
				b.Send(fresh(wire.Live, uint32(s+1), 130))
			}
		}
	}
}

// backlog offers Events as fast as they go.
func backlog(ctx context.Context, b *Buffer) {
	for ctx.Err() == nil {
		if !b.Send(fresh(wire.Event, 1, 4000)) {
			time.Sleep(time.Millisecond)
		}
	}
}

// after changes the hop in the middle of a run.
func (h *hop) after(wait time.Duration, change func()) {
	time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		change()
	})
}

func (h *hop) percentile(q float64) time.Duration {
	slices.Sort(h.ages)
	return h.ages[int(q*float64(len(h.ages)-1))]
}

func TestFlowBehindASwallowingProxy(t *testing.T) {
	for streams, bound := range map[int]time.Duration{1: 500 * time.Millisecond, 10: 1500 * time.Millisecond} {
		h := &hop{rate: 8000, delay: 60 * time.Millisecond}
		h.carry(t, time.Minute, at100Hz(streams))
		if p95 := h.percentile(0.95); p95 > bound {
			t.Errorf("%d streams: p95 of the age is %v, want at most %v", streams, p95, bound)
		}
		if used := float64(h.bytes) / (60 * h.rate); used < 0.75 {
			t.Errorf("%d streams: %.0f %% of the link were used", streams, 100*used)
		}
		// The bare round trip is known with the first packet's own length in it.
		if limit := int(h.rate*(h.delay+slack).Seconds()) + 1400; h.highest > limit {
			t.Errorf("%d streams: %d bytes under way, want at most %d", streams, h.highest, limit)
		}
		t.Logf("%d streams: p50 %v p95 %v, %d bytes of %v used, most under way %d", streams, h.percentile(0.5), h.percentile(0.95), h.bytes, 60*h.rate, h.highest)
	}
}

func TestFlowIsNoBrakeOnACleanLink(t *testing.T) {
	for _, channels := range []bool{false, true} {
		h := &hop{rate: 1e6, delay: 100 * time.Millisecond, channels: channels}
		h.carry(t, 20*time.Second, at100Hz(5))
		// Only at the beginning something waits until the window is known to be too small: on channels, which begin with one packet,
		// for a round trip more.
		steady, longest, fewest := 0.995, 200*time.Millisecond, 9900
		if channels {
			steady, longest = 0.99, 250*time.Millisecond
		}
		if most, worst := h.percentile(steady), h.percentile(1); most > 60*time.Millisecond || worst > longest || len(h.ages) < fewest {
			t.Errorf("channels %v: %d frames came, nearly all within %v, the oldest %v old", channels, len(h.ages), most, worst)
		}
	}
}

func TestFlowFillsALongFatLink(t *testing.T) {
	h := &hop{rate: 4e6, delay: 100 * time.Millisecond}
	h.carry(t, 20*time.Second, backlog)
	if used := float64(h.bytes) / (20 * h.rate); used < 0.85 {
		t.Errorf("%.0f %% of the link were used", 100*used)
	}
	t.Logf("%.1f %% used, most under way %d", 100*float64(h.bytes)/(20*h.rate), h.highest)
}

// TestFlowKeepsRoomBesideThePast: what a device has kept begins to come on a link of which nothing is known, and nothing live waits for a
// round trip behind it.
func TestFlowKeepsRoomBesideThePast(t *testing.T) {
	h := &hop{rate: 4e6, delay: 100 * time.Millisecond}
	h.carry(t, 10*time.Second, func(ctx context.Context, b *Buffer) {
		go at100Hz(1)(ctx, b)
		time.Sleep(time.Second)
		past(ctx, b)
	})
	if most := h.percentile(1); most > 65*time.Millisecond { // one way, and until the next sample brings a mark
		t.Errorf("the oldest live sample was %v old", most)
	}
	if h.pastBytes < 2<<20 {
		t.Errorf("only %d bytes of the past came", h.pastBytes)
	}
	t.Logf("live p50 %v p99 %v, worst %v; %d bytes of the past", h.percentile(0.5), h.percentile(0.99), h.percentile(1), h.pastBytes)
}

// past offers chunks at a rate that grows with each round trip of 100 ms, as session.Pace has them.
func past(ctx context.Context, b *Buffer) {
	const chunk, most = 3 << 10, 2e6
	for rate, began := 64e3, time.Now(); ctx.Err() == nil; {
		b.Send(fresh(wire.History, 1, chunk))
		time.Sleep(time.Duration(chunk / rate * 1e9))
		if time.Since(began) > 100*time.Millisecond {
			rate, began = min(rate*5/4, most), time.Now()
		}
	}
}

// TestFlowGetsUsedToALongerWay: a link whose round trip grows for good is no slower in the end.
func TestFlowGetsUsedToALongerWay(t *testing.T) {
	h := &hop{rate: 1e6, delay: 40 * time.Millisecond}
	h.carry(t, 40*time.Second, func(ctx context.Context, b *Buffer) {
		h.after(10*time.Second, func() { h.delay, h.bytes = 300*time.Millisecond, 0 })
		backlog(ctx, b)
	})
	if used := float64(h.bytes) / (30 * h.rate); used < 0.7 {
		t.Errorf("%.0f %% of the longer link were used", 100*used)
	}
	t.Logf("%.1f %% used", 100*float64(h.bytes)/(30*h.rate))
}

// TestFlowAfterTheLinkGotNarrow: what was good for a fast link is soon forgotten.
func TestFlowAfterTheLinkGotNarrow(t *testing.T) {
	h := &hop{rate: 1e6, delay: 60 * time.Millisecond}
	h.carry(t, 40*time.Second, func(ctx context.Context, b *Buffer) {
		h.after(10*time.Second, func() { h.rate = 8000 })
		h.after(15*time.Second, func() { h.ages = nil })
		at100Hz(1)(ctx, b)
	})
	if p95 := h.percentile(0.95); p95 > 500*time.Millisecond {
		t.Errorf("p95 of the age is %v", p95)
	}
	t.Logf("p50 %v p95 %v", h.percentile(0.5), h.percentile(0.95))
}

// TestFlowOfChannels: what data channels cost beside their frames leaves a narrow way to the frames all the same, and the
// link beside which they begin is not taken for the length of the way.
func TestFlowOfChannels(t *testing.T) {
	for rate, bound := range map[float64]time.Duration{8_000: 400 * time.Millisecond, 40_000: 200 * time.Millisecond} {
		h := &hop{rate: rate, delay: 60 * time.Millisecond, channels: true, overhead: 130, busy: time.Second}
		h.carry(t, time.Minute, func(ctx context.Context, b *Buffer) {
			h.after(4*time.Second, func() { h.ages, h.bytes = nil, 0 })
			at100Hz(5)(ctx, b)
		})
		if p95 := h.percentile(0.95); p95 > bound {
			t.Errorf("%.0f bytes a second: p95 of the age is %v, want at most %v", rate, p95, bound)
		}
		if used := float64(h.bytes) / (56 * rate); used < 0.55 {
			t.Errorf("%.0f bytes a second: frames had %.0f %% of the hop", rate, 100*used)
		}
		t.Logf("%.0f bytes a second: p50 %v p95 %v, %.0f %% of it frames, most under way %d", rate, h.percentile(0.5), h.percentile(0.95), 100*float64(h.bytes)/(56*rate), h.highest)
	}
}

// TestFlowWithLostMarks: a mark that never comes is followed by others before it counts as a queue.
func TestFlowWithLostMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buffer, flow := NewBuffer(Limits{}, AllLanes), NewChannelFlow()
		var batch Batch
		send := func() (mark uint64, sent bool) {
			buffer.Send(fresh(wire.Live, 1, 130))
			sent = flow.Take(buffer.Tap(0), 1200, &batch)
			return batch.mark, sent
		}
		for n := range 200 { // at 20 Hz, the answers after 40 ms, one mark in four lost
			mark, sent := send()
			if !sent {
				t.Fatalf("sample %d has to wait, with %d bytes under way", n, flow.UnderWay())
			}
			if time.Sleep(40 * time.Millisecond); mark != 0 && mark%4 != 3 {
				flow.Heard(time.Now(), wire.AppendEcho(nil, wire.Hop{}, wire.Echo{Probe: wire.Probe{ID: mark}}))
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// TestFlowTakesBack: what was taken and not sent is not under way, nor is its mark.
func TestFlowTakesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buffer, flow := NewBuffer(Limits{}, AllLanes), NewChannelFlow()
		var batch Batch
		for range 50 {
			buffer.Send(fresh(wire.Live, 1, 1000))
			if !flow.Take(buffer.Tap(0), 1200, &batch) || batch.mark == 0 {
				t.Fatal("nothing to take, or no mark on it")
			}
			flow.Return(buffer.Tap(0), &batch)
			if n := flow.UnderWay(); n != 0 || len(flow.marks) != 0 {
				t.Fatalf("%d bytes and %d marks are under way", n, len(flow.marks))
			}
			time.Sleep(time.Second)
		}
	})
}

func BenchmarkFlowTake(b *testing.B) {
	buffer, flow := NewBuffer(Limits{}, AllLanes), NewFlow()
	f := fresh(wire.Live, 1, 130)
	var batch Batch
	for b.Loop() {
		buffer.Push(f)
		flow.Take(buffer.Tap(0), 16<<10, &batch)
		flow.Acknowledge(&batch)
	}
}
