package peer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// course is how the rungs behave in a race, and what became of them.
type course struct {
	t     *testing.T
	lanes map[ladder.Rung]lane
	start time.Time

	mu     sync.Mutex
	begun  map[ladder.Rung]time.Duration // when
	opens  map[ladder.Rung]string        // what rode
	living int                           // carriers that were opened and have not ended
}

// lane is one rung: each step after the one before.
type lane struct {
	connect time.Duration // until there is a connection; negative: never
	open    time.Duration // until the link is open, or fails
	fails   error
	frame   time.Duration // until the first frame; negative: never
}

func newCourse(t *testing.T, lanes map[ladder.Rung]lane) *course {
	return &course{
		t: t, lanes: lanes, start: time.Now(), begun: map[ladder.Rung]time.Duration{}, opens: map[ladder.Rung]string{},
	}
}

func (c *course) dial(ctx context.Context, rung ladder.Rung, open []byte, connected func()) (carrier.Carrier, error) {
	c.mu.Lock()
	c.begun[rung], c.opens[rung] = time.Since(c.start), string(open)
	how := c.lanes[rung]
	c.mu.Unlock()
	if how.connect < 0 {
		<-ctx.Done()
		return nil, carrier.Explain(context.Cause(ctx))
	}
	if err := sleep(ctx, how.connect); err != nil {
		return nil, err
	}
	connected()
	if err := sleep(ctx, how.open); err != nil {
		return nil, err
	}
	if how.fails != nil {
		return nil, how.fails
	}
	near, far, m := peertest.Pair(peertest.Config{Rung: rung, Stream: true})
	c.mu.Lock()
	c.living++
	c.mu.Unlock()
	go func() {
		_ = far.Run(context.Background(), func([]byte) {})
		m.Break(errors.New("over"))
		c.mu.Lock()
		c.living--
		c.mu.Unlock()
	}()
	if how.frame >= 0 {
		time.AfterFunc(how.frame, func() {
			far.Send(carrier.Frame{Class: wire.Signal, Bytes: wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{}, []byte(rung.String()))})
		})
	}
	return near, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return carrier.Explain(context.Cause(ctx))
	case <-time.After(d):
		return nil
	}
}

func (c *course) racer() *racer {
	return &racer{
		http1: new(atomic.Bool), body: new(atomic.Int64),
		rungs: linkRungs, dial: c.dial, memory: &processMemory{}, network: func() string { return "here" },
		log: Endpoint{}.log(),
	}
}

// alive is how many links there are when everything has settled.
func (c *course) alive() int {
	time.Sleep(time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.living
}

const never = -1

var (
	quick    = lane{connect: 10 * time.Millisecond, open: 10 * time.Millisecond}
	mute     = lane{connect: 10 * time.Millisecond, open: 10 * time.Millisecond, frame: never}
	stripped = lane{connect: 10 * time.Millisecond, open: 10 * time.Millisecond, fails: carrier.Fail("upgrade-refused", "", nil)}
	dead     = lane{connect: never}
)

func after(l lane, d time.Duration) lane {
	l.open += d
	return l
}

func TestRace(t *testing.T) {
	refused := lane{fails: carrier.Fail("refused", "", nil)}
	denied := lane{connect: time.Millisecond, fails: &carrier.Refused{Code: wire.CodeByName("unauthorized")}}
	cases := []struct {
		name         string
		ws, sse      lane
		poll         lane
		wins         string        // rung, or name of the failure
		within       time.Duration // at most
		begun        int           // rungs that were started
		failed       string        // names of the verdicts
		rode         bool
		laterVerdict string
	}{
		{name: "all works", ws: quick, sse: quick, poll: quick, wins: "ws", within: 21 * time.Millisecond, begun: 1, rode: true},
		{name: "the upgrade is stripped", ws: stripped, sse: quick, poll: quick, wins: "sse", within: 41 * time.Millisecond, begun: 2, failed: "upgrade-refused"},
		{name: "the upgrade is agreed to and nothing comes", ws: mute, sse: quick, poll: quick, wins: "sse", within: 370 * time.Millisecond, begun: 2, laterVerdict: "upgrade-stalled"},
		{name: "answers are held back", ws: stripped, sse: mute, poll: quick, wins: "poll", within: 400 * time.Millisecond, begun: 3, failed: "upgrade-refused", laterVerdict: "upgrade-refused stream-buffered"},
		{name: "nothing listens", ws: refused, sse: refused, poll: refused, wins: "refused", within: time.Millisecond, begun: 1, failed: "refused"},
		{name: "the address does not answer", ws: dead, sse: dead, poll: dead, wins: "timeout", within: openTime, begun: 3, failed: "timeout"},
		{name: "the server refuses", ws: denied, sse: quick, poll: quick, wins: "unauthorized", within: 2 * time.Millisecond, begun: 1, failed: "not-telepath"},
		{name: "far away", ws: lane{connect: 600 * time.Millisecond, open: 1200 * time.Millisecond}, sse: quick, poll: quick, wins: "ws", within: 1801 * time.Millisecond, begun: 1, rode: true},
		{name: "answers are held back before they begin", ws: stripped, sse: after(mute, 20*time.Second), poll: quick, wins: "poll", within: 400 * time.Millisecond, begun: 3, failed: "upgrade-refused", laterVerdict: "upgrade-refused stream-buffered"},
		{name: "nothing works", ws: stripped, sse: mute, poll: mute, wins: "upgrade-refused", within: 3 * time.Second, begun: 3, failed: "upgrade-refused stream-buffered cut"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				course := newCourse(t, map[ladder.Rung]lane{ladder.WS: c.ws, ladder.SSE: c.sse, ladder.Poll: c.poll})
				r := course.racer()
				e, err := r.find(t.Context(), []byte("open"))
				took := time.Since(course.start)
				if got := outcome(e, err); got != c.wins || took > c.within {
					t.Errorf("%s after %v, want %s within %v (%v)", got, took, c.wins, c.within, err)
				}
				if got := failures(r.last.verdicts); got != c.failed {
					t.Errorf("verdicts %q, want %q", got, c.failed)
				}
				if len(course.begun) != c.begun || course.opens[ladder.WS] != "open" || course.opens[ladder.SSE]+course.opens[ladder.Poll] != "" {
					t.Errorf("begun %v, the open rode on %v", course.begun, course.opens)
				}
				if c.laterVerdict != "" {
					if better := r.last.rest(t.Context(), e.Rung()); better != nil {
						t.Errorf("then %v", better.Rung())
					}
					if got := failures(r.last.verdicts); got != c.laterVerdict {
						t.Errorf("then verdicts %q, want %q", got, c.laterVerdict)
					}
				}
				if e != nil {
					if e.rode != c.rode {
						t.Errorf("rode: %v", e.rode)
					}
					if n := course.alive(); n != 1 {
						t.Errorf("%d links are alive", n)
					}
					e.drop()
				}
				r.end()
				if n := course.alive(); n != 0 {
					t.Errorf("%d links are left", n)
				}
			})
		})
	}
}

func outcome(e *entrant, err error) string {
	var failure *carrier.Failure
	var refused *carrier.Refused
	switch {
	case err == nil:
		return e.Rung().String()
	case errors.As(err, &failure):
		return failure.Name
	case errors.As(err, &refused):
		return refused.Code.Name
	}
	return err.Error()
}

func failures(verdicts []Verdict) string {
	var names []string
	for _, v := range verdicts {
		names = append(names, v.Failure.Name)
	}
	return strings.Join(names, " ")
}

// TestRaceHandsOnWhatCame: the winner's frames are not lost, in their order.
func TestRaceHandsOnWhatCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far, m := peertest.Pair(peertest.Config{Stream: true})
		defer m.Break(nil)
		var tasks sync.WaitGroup
		e := newEntrant(near, true, &tasks)
		tasks.Go(func() { _ = far.Run(context.Background(), nil) })
		send := func(n byte) {
			far.Send(carrier.Frame{Class: wire.Event, Bytes: wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, []byte{n})})
			synctest.Wait()
		}
		const all = 3 * maxKept
		for n := range byte(all) {
			send(n)
		}
		var got []byte
		tasks.Go(func() {
			_ = e.Run(context.Background(), func(packet []byte) {
				for len(packet) > 0 { // those that waited come together
					f, rest, err := wire.NextFrame(packet)
					if err != nil {
						t.Error(err)
						return
					}
					got, packet = append(got, f.Body...), rest
				}
			})
		})
		send(all) // and all are there now
		e.drop()
		far.Close(wire.CodeByName("draining"), "")
		tasks.Wait()
		for i, n := range got {
			if int(n) != i {
				t.Fatalf("%d came at place %d", n, i)
			}
		}
		if len(got) != all+1 {
			t.Errorf("%d packets came of %d", len(got), all+1)
		}
	})
}

// TestMemory: the second link begins with the rung that carried, and still knows why; when that is out of date all are tried.
func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		course := newCourse(t, map[ladder.Rung]lane{ladder.WS: stripped, ladder.SSE: after(mute, 0), ladder.Poll: quick})
		memory := &processMemory{}
		visit := func() (began []ladder.Rung, why string, took time.Duration) {
			r := course.racer()
			r.memory = memory
			defer r.end()
			course.start, course.begun = time.Now(), map[ladder.Rung]time.Duration{}
			e, err := r.find(t.Context(), []byte("open"))
			if err != nil {
				t.Fatal(err)
			}
			took = time.Since(course.start)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			r.improve(ctx, e.Rung(), func() {})
			for rung := range course.begun {
				began = append(began, rung)
			}
			e.drop()
			slices.Sort(began)
			return began, r.why(), took
		}
		if began, why, took := visit(); len(began) != 3 || !strings.Contains(why, "upgrade-refused") || !strings.Contains(why, "stream-buffered") {
			t.Errorf("first: %v, %q, %v", began, why, took)
		}
		if began, why, took := visit(); len(began) != 1 || took > 21*time.Millisecond || !strings.Contains(why, "upgrade-refused") || !strings.Contains(why, "stream-buffered") {
			t.Errorf("second: %v, %q, %v", began, why, took)
		}
		time.Sleep(memoryTime)
		course.lanes[ladder.WS] = quick
		if began, why, _ := visit(); len(began) != 1 || why != "" {
			t.Errorf("when it is out of date: %v, %q", began, why)
		}
		if l, _ := memory.Load("here"); l.Rung != ladder.WS {
			t.Errorf("remembered is %v", l)
		}
	})
}

// TestMemoryOfLimits: what a link has shown that does not get through is known to the next one on this network, until it is out of date.
func TestMemoryOfLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		course := newCourse(t, map[ladder.Rung]lane{ladder.WS: quick})
		memory := &processMemory{}
		visit := func() *racer {
			r := course.racer()
			r.memory = memory
			t.Cleanup(r.end)
			e, err := r.find(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			e.drop()
			return r
		}
		first := visit()
		if body, rest := first.body.Load(), first.rest.Load(); body != 0 || rest != 0 {
			t.Errorf("at first: %d, %d", body, rest)
		}
		first.limited(func(l *Limits) { l.Body = 4096 })
		time.Sleep(memoryTime / 2)
		first.limited(func(l *Limits) { l.Rest = time.Minute })
		if r := visit(); r.body.Load() != 4096 || r.rest.Load() != int64(time.Minute) {
			t.Errorf("on the next visit: %d, %d", r.body.Load(), r.rest.Load())
		}
		time.Sleep(memoryTime)
		if r := visit(); r.body.Load() != 0 || r.rest.Load() != 0 {
			t.Errorf("when it is out of date: %d, %d", r.body.Load(), r.rest.Load())
		}
	})
}

// TestMemoryOfHTTP2: where HTTP/2 does not get through it is left out on the next visits, named, and tried again when that is out of date.
func TestMemoryOfHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		course := newCourse(t, map[ladder.Rung]lane{ladder.WS: stripped, ladder.SSE: quick})
		memory := &processMemory{}
		visit := func() (tried bool, why string) {
			r := course.racer()
			r.memory = memory
			defer r.end()
			r.dial = func(ctx context.Context, rung ladder.Rung, open []byte, connected func()) (carrier.Carrier, error) {
				c, err := course.dial(ctx, rung, open, connected)
				if rung == ladder.SSE {
					tried = !r.http1.Swap(true)
				}
				return c, err
			}
			e, err := r.find(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			e.drop()
			return tried, r.why()
		}
		for i, want := range []bool{true, false, false} {
			if tried, why := visit(); tried != want || !strings.Contains(why, "event stream: HTTP/2 does not get through (http2-broken)") {
				t.Errorf("visit %d: HTTP/2 tried: %t, %q", i, tried, why)
			}
		}
		time.Sleep(memoryTime)
		if tried, _ := visit(); !tried {
			t.Error("it is not tried again")
		}
	})
}
