package carrier

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// tcp is one direction of a connection whose segments are lost: a repair comes later, and all behind it waits for that.
type tcp struct {
	loss float64
	rate float64 // bytes a second; 0: no limit
	rand *rand.Rand
	sent chan segment
	free time.Time // when all that was sent is there
}

type segment struct {
	packet []byte
	at     time.Time // when it is there
}

const (
	tcpDelay = 50 * time.Millisecond // one way
	// tcpRepair is when a lost segment is there, after it should have been, tcpTimeout when its repair is lost, too.
	tcpRepair  = 2*tcpDelay + 30*time.Millisecond
	tcpTimeout = 2*tcpDelay + 250*time.Millisecond
)

func newTCP(loss, rate float64, seed uint64) *tcp {
	return &tcp{loss: loss, rate: rate, rand: rand.New(rand.NewPCG(seed, 0)), sent: make(chan segment, 1<<12)}
}

func (c *tcp) send(packet []byte) {
	at := time.Now().Add(tcpDelay)
	for wait := tcpRepair; c.rand.Float64() < c.loss; wait = tcpTimeout {
		at = at.Add(wait)
	}
	if at.Before(c.free) {
		at = c.free
	}
	if c.rate > 0 {
		at = at.Add(time.Duration(float64(len(packet)) / c.rate * float64(time.Second)))
	}
	c.free = at
	c.sent <- segment{slices.Clone(packet), at}
}

func (c *tcp) deliver(ctx context.Context, arrive func(packet []byte)) {
	for {
		select {
		case s := <-c.sent:
			time.Sleep(time.Until(s.at))
			arrive(s.packet)
		case <-ctx.Done():
			return
		}
	}
}

// lossyLink is a link of two tcp.
type lossyLink struct {
	there, back *tcp
	buffer      *Buffer
	flow        *Flow // nil: nothing bounds what is under way
	hop         hop   // notes what comes
	made        int
}

// overLossyLink offers batches of three samples for a minute, 330 bytes every 30 ms.
func overLossyLink(t *testing.T, seed uint64, loss, rate float64, flow *Flow) (l *lossyLink) {
	synctest.Test(t, func(t *testing.T) {
		l = &lossyLink{
			there: newTCP(loss, rate, seed), back: newTCP(loss, 0, seed+1000),
			buffer: NewBuffer(Limits{}, AllLanes), flow: flow,
		}
		l.run(t)
	})
	return l
}

func (l *lossyLink) run(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(30 * time.Millisecond) {
			l.buffer.Send(fresh(wire.Live, 1, 330))
			l.made++
		}
	})
	tasks.Go(func() { l.there.deliver(ctx, l.arrive) })
	tasks.Go(func() {
		l.back.deliver(ctx, func(packet []byte) {
			if l.flow.Heard(time.Now(), packet) {
				l.buffer.Tap(0).Wake()
			}
		})
	})
	var batch Batch
	for ctx.Err() == nil {
		if l.take(&batch) {
			l.there.send(batch.Packet)
		} else if err := l.await(ctx); err != nil {
			t.Error(err)
		}
	}
	tasks.Wait()
}

func (l *lossyLink) take(b *Batch) bool {
	if l.flow == nil {
		return l.buffer.Tap(0).Take(16<<10, b)
	}
	return l.flow.Take(l.buffer.Tap(0), 16<<10, b)
}

func (l *lossyLink) await(ctx context.Context) error {
	if l.flow != nil {
		return l.flow.Await(l.buffer.Tap(0), ctx.Done(), time.Hour)
	}
	select {
	case <-l.buffer.Tap(0).Ready():
	case <-ctx.Done():
	}
	return nil
}

func (l *lossyLink) arrive(packet []byte) {
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			panic(err)
		}
		if packet = rest; f.Type == wire.TypeProbe {
			probe, _ := wire.ParseProbe(f.Body)
			l.back.send(wire.AppendEcho(nil, wire.Hop{}, wire.Echo{Probe: probe, T2: uint64(time.Now().UnixMicro())}))
			continue
		}
		l.hop.note(f)
	}
}

// within is the share of what was made that came within its deadline, had its first sample been 20 ms older.
func (l *lossyLink) within() float64 {
	in := 0
	for _, age := range l.hop.ages {
		if age <= 230*time.Millisecond {
			in++
		}
	}
	return float64(in) / float64(l.made)
}

// TestFlowIsNoBrakeWhereSegmentsAreLost: a stall that repairs a loss is no queue. As much comes in time as if nothing were bounded.
func TestFlowIsNoBrakeWhereSegmentsAreLost(t *testing.T) {
	for _, loss := range []float64{0.02, 0.05} {
		with, without := 0.0, 0.0
		const seeds = 10
		for seed := range uint64(seeds) {
			with += overLossyLink(t, seed, loss, 0, NewFlow()).within() / seeds
			without += overLossyLink(t, seed, loss, 0, nil).within() / seeds
		}
		t.Logf("%v lost: %.4f in time, %.4f without a bound", loss, with, without)
		if with < without-0.01 {
			t.Errorf("%v lost: %.2f %% in time, and %.2f %% without a bound", loss, 100*with, 100*without)
		}
	}
}

// TestFlowSeesAQueueWhereSegmentsAreLost: the hop carries two thirds of what is offered, and its repairs are no sign that it carries more.
func TestFlowSeesAQueueWhereSegmentsAreLost(t *testing.T) {
	for _, loss := range []float64{0, 0.02, 0.05} {
		var ages []time.Duration
		for seed := range uint64(10) {
			ages = append(ages, overLossyLink(t, seed, loss, 8000, NewFlow()).hop.ages...)
		}
		slices.Sort(ages)
		at95 := ages[len(ages)*95/100]
		t.Logf("%v lost: half within %v, 95 in 100 within %v, %d came", loss, ages[len(ages)/2], at95, len(ages))
		if at95 > 400*time.Millisecond {
			t.Errorf("%v lost: 95 in 100 within %v", loss, at95)
		}
	}
}
