package control

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// drives holds the lease and moves.
func drives(r *rig) *viewer {
	anna := r.viewer("Anna", operatorRole)
	anna.take()
	anna.drive()
	anna.drive(speed(1))
	if r.rover.get(1) != 1 {
		r.t.Fatal("it does not move")
	}
	return anna
}

// Whatever is missing of a heartbeat: the axes are at rest after the dead-man time, to the ms.
func TestDeadMan(t *testing.T) {
	for name, beat := range map[string]func(r *rig, v *viewer){
		"none": func(*rig, *viewer) {},
		"no hand": func(r *rig, v *viewer) {
			v.beat(wire.Drive{Hand: v.hand, Tick: r.tick(), Setpoints: []wire.Target{speed(1)}})
		},
		"old tick": func(r *rig, v *viewer) {
			v.hand++
			v.beat(wire.Drive{Hand: v.hand, Tick: wire.Tick{Epoch: r.epoch, At: 1}, Setpoints: []wire.Target{speed(1)}})
		},
		"tick to come": func(r *rig, v *viewer) {
			v.hand++
			v.beat(wire.Drive{Hand: v.hand, Tick: wire.Tick{Epoch: r.epoch, At: r.tick().At + 1e6}})
		},
		"another run's": func(r *rig, v *viewer) {
			v.hand++
			v.beat(wire.Drive{Hand: v.hand, Tick: wire.Tick{Epoch: r.epoch + 1, At: r.tick().At}})
		},
		"the same again": func(r *rig, v *viewer) { v.seq--; v.drive(speed(1)) },
		"another's": func(r *rig, v *viewer) {
			w := r.viewer("Bert", operatorRole)
			w.fence, w.seq = v.fence, v.seq+1000
			w.drive(speed(1))
		},
		"an older fence": func(r *rig, v *viewer) { v.fence--; v.drive(speed(1)); v.fence++ },
		"no operator":    func(r *rig, v *viewer) { v.role = "viewer"; v.drive(speed(1)); v.role = operatorRole },
		"garbage":        func(r *rig, v *viewer) { r.Drive(v, []byte{1, 2, 3}) },
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(r *rig) {
				r.after(time.Second)
				anna := drives(r)
				anna.drive(speed(1))
				last := time.Now()
				for time.Since(last) < DefaultDeadman-10*time.Millisecond {
					r.after(10 * time.Millisecond)
					beat(r, anna)
				}
				if r.rover.get(1) != 1 {
					t.Errorf("at rest after %v already", time.Since(last))
				}
				r.after(11 * time.Millisecond)
				if r.rover.get(1) != 0 || !r.rover.lastSafe().Equal(last.Add(DefaultDeadman)) {
					t.Errorf("made safe %v after the last heartbeat", r.rover.lastSafe().Sub(last))
				}
				// It begins again only with what is neutral.
				anna.drive(speed(1))
				anna.drive(speed(1))
				if r.rover.get(1) != 0 {
					t.Error("it starts by itself")
				}
				anna.drive(speed(0))
				anna.drive(speed(-1))
				if r.rover.get(1) != -1 {
					t.Error("it does not start after a neutral hand")
				}
			})
		})
	}
}

func TestLeaseEndsAndThingsAreSafe(t *testing.T) {
	within(t, func(r *rig) {
		anna := drives(r)
		for range 60 { // heartbeats alone do not renew
			r.after(50 * time.Millisecond)
			anna.drive(speed(1))
			if r.rover.get(1) != 1 {
				break
			}
		}
		for range 60 {
			r.after(50 * time.Millisecond)
			anna.drive(speed(1))
		}
		if r.rover.get(1) != 0 || r.sink.get("control/holder") != "" {
			t.Error("it moves without a lease")
		}
		anna.take()
		anna.drive()
		anna.drive(speed(1))
		anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Release})
		if r.rover.get(1) != 0 {
			t.Error("it moves after the lease was given back")
		}
	})
}

func TestRangeAndSlew(t *testing.T) {
	within(t, func(r *rig) {
		anna := drives(r)
		anna.drive(speed(100))
		if r.rover.get(1) != 2 || r.sink.get("control/speed") != "2" {
			t.Errorf("speed %v, shown %s", r.rover.get(1), r.sink.get("control/speed"))
		}
		anna.drive(wire.Target{Axis: 9, Value: 7}) // there is none
		begun := time.Now()
		for range 9 { // 45 degrees at 100 a second, between heartbeats as well
			anna.drive(wire.Target{Axis: 2, Value: 1000})
			r.after(49 * time.Millisecond)
			at, most := r.rover.get(2), 45+100*time.Since(begun).Seconds()
			if at > most+1e-9 || at < most-5 {
				t.Errorf("at %v after %v", at, time.Since(begun))
			}
		}
		anna.drive(wire.Target{Axis: 2, Value: 1000})
		r.after(50 * time.Millisecond)
		if r.rover.get(2) != 90 {
			t.Errorf("at %v", r.rover.get(2))
		}
	})
}

func TestSuspendedMachine(t *testing.T) {
	within(t, func(r *rig) {
		anna := drives(r)
		r.asleep.Add(int64(60 * time.Millisecond)) // shorter than the dead-man time: the machine slept all the same
		r.after(movingLook * time.Microsecond)
		if r.rover.get(1) != 0 {
			t.Error("it moves after the machine was suspended")
		}
		anna.drive(speed(1))
		if r.rover.get(1) != 0 {
			t.Error("it starts by itself")
		}
	})
}

// An actuator that takes its time does not keep the dead-man from acting, and what it sets late is made safe again.
func TestAnActuatorThatIsSlow(t *testing.T) {
	within(t, func(r *rig) {
		anna := drives(r)
		r.rover.slow = 200 * time.Millisecond
		anna.drive(speed(2))
		r.after(10 * time.Millisecond)
		id := anna.say(rpc.Command{Type: rpc.Stop})
		if r.rover.get(1) != 0 {
			t.Error("a stop waits for a slow actuator")
		}
		for _, o := range anna.heard() {
			if o.ID == id && o.TookUS != 0 {
				t.Error("a stop is answered before the slow actuator is safe")
			}
		}
		r.after(200 * time.Millisecond)
		if r.rover.get(1) != 0 {
			t.Error("what was set late lasts")
		}
		if o := anna.of(id); !o.Stopped || o.TookUS < 190_000 {
			t.Errorf("%+v", o)
		}
	})
}

func TestAnActuatorThatHangs(t *testing.T) {
	within(t, func(r *rig) {
		anna := drives(r)
		r.rover.slow = time.Minute
		safes := len(r.rover.safes)
		for range 8 {
			anna.drive(speed(2))
			r.after(50 * time.Millisecond)
		}
		r.rover.mu.Lock()
		if len(r.rover.safes) == safes {
			t.Error("heartbeats come, and nobody sees that nothing is set")
		}
		r.rover.mu.Unlock()
		r.after(time.Minute)
	})
}

// What fails behind the back of Apply is told when it does: nothing else may be set for long while a hand holds another axis.
func TestAFailureBehindTheBack(t *testing.T) {
	within(t, func(r *rig) {
		anna := drives(r)
		r.rover.failed(errors.New("no such motor"))
		synctest.Wait()
		if r.rover.get(1) != 0 || r.rover.moves() {
			t.Error("it moves on")
		}
		anna.drive(speed(1))
		if r.rover.get(1) != 0 {
			t.Error("it moves again without having been neutral")
		}
		if !slices.Contains(r.sink.log, "an actuator has failed: no such motor") {
			t.Errorf("%q", r.sink.log)
		}
		r.after(time.Second)
		safe := r.rover.lastSafe()
		r.after(time.Second)
		r.rover.failed(errors.New("late")) // all is safe: that is said, and no more
		synctest.Wait()
		if !r.rover.lastSafe().Equal(safe) {
			t.Error("what is safe was made safe")
		}
	})
}

// fakeGuard is one that watches when it is told to.
type fakeGuard struct {
	watching bool
	lost     func()

	mu          sync.Mutex
	beats, safe int  // guarded by mu, like armed
	armed       bool // a Beat was the last that it was told
}

func (g *fakeGuard) Beat() { g.tell(1, 0, true) }
func (g *fakeGuard) Safe() { g.tell(0, 1, false) }

func (g *fakeGuard) tell(beats, safe int, armed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.beats, g.safe, g.armed = g.beats+beats, g.safe+safe, armed
}

func (g *fakeGuard) told() (beats, safe int, armed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.beats, g.safe, g.armed
}

func (g *fakeGuard) Watching() bool   { return g.watching }
func (g *fakeGuard) Lost(tell func()) { g.lost = tell }

func TestNothingMovesUnguarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, g := &rig{t: t, disk: newDisk()}, &fakeGuard{}
		r.start(Config{Guard: g})
		defer r.end()
		anna := r.viewer("Anna", operatorRole)
		anna.take()
		anna.drive()
		anna.drive(speed(1))
		if beats, _, _ := g.told(); r.rover.get(1) != 0 || beats != 2 {
			t.Errorf("it moves, and nobody watches; %d beats", beats)
		}
		g.watching = true
		anna.drive(speed(1))
		if r.rover.get(1) != 1 {
			t.Error("it does not move")
		}
		_, before, _ := g.told()
		g.lost()
		synctest.Wait()
		if _, safe, _ := g.told(); r.rover.get(1) != 0 || safe == before {
			t.Error("it moves, and nobody watches any more")
		}
	})
}

func TestLease(t *testing.T) {
	within(t, func(r *rig) {
		anna, bert, boss := r.viewer("Anna", operatorRole), r.viewer("Bert", operatorRole), r.viewer("Boss", admin)
		for _, v := range []*viewer{anna, bert, boss} {
			v.say(rpc.Command{Type: rpc.Operate, On: true})
		}
		do := func(v *viewer, what, to string) rpc.Outcome {
			return v.of(v.say(rpc.Command{Type: rpc.Lease, Do: what, To: to}))
		}
		idOf := func(v *viewer) string { return newSeat("key-of-"+v.name, "", "", "").ID }
		first := do(anna, rpc.Take, "")
		if !first.Mine || first.Holder.Name != "Anna" || first.TTLMS != 5000 || first.Fence == 0 {
			t.Errorf("%+v", first)
		}
		if o := do(bert, rpc.Take, ""); o.Code != rpc.CodeHeld || o.Holder.ID != idOf(anna) || o.Mine {
			t.Errorf("%+v", o)
		}
		if o := do(bert, rpc.TakeOver, ""); o.Code != rpc.CodeRole {
			t.Errorf("%+v", o)
		}
		if o := do(bert, rpc.Release, ""); o.Code != rpc.CodeNoLease {
			t.Errorf("%+v", o)
		}
		// Asked for, denied, asked for again, given.
		do(bert, rpc.Request, "")
		if o := last(anna); len(o.Asks) != 1 || o.Asks[0].Name != "Bert" {
			t.Errorf("%+v", o)
		}
		do(anna, rpc.Deny, idOf(bert))
		if o := last(bert); o.Code != rpc.CodeHeld || len(o.Asks) != 0 {
			t.Errorf("%+v", o)
		}
		do(bert, rpc.Request, "")
		given := do(anna, rpc.Give, idOf(bert))
		if given.Mine || given.Holder.Name != "Bert" || given.Fence <= first.Fence {
			t.Errorf("%+v", given)
		}
		if o := last(bert); !o.Mine || o.Fence != given.Fence {
			t.Errorf("%+v", o)
		}
		// The same key has it on another Conn, under the same fence.
		reloaded := r.viewer("Bert", operatorRole)
		reloaded.conn = "another"
		if o := do(reloaded, rpc.Take, ""); !o.Mine || o.Fence != given.Fence {
			t.Errorf("%+v", o)
		}
		if o := do(bert, rpc.Renew, ""); o.Code != rpc.CodeNoLease || o.Mine {
			t.Errorf("%+v", o)
		}
		over := do(boss, rpc.TakeOver, "")
		if !over.Mine || over.Fence <= given.Fence {
			t.Errorf("%+v", over)
		}
		if r.sink.get("control/holder") != "Boss" {
			t.Errorf("shown: %s", r.sink.get("control/holder"))
		}
		r.after(4900 * time.Millisecond)
		do(boss, rpc.Renew, "")
		r.after(4900 * time.Millisecond)
		if o := do(bert, rpc.Take, ""); o.Code != rpc.CodeHeld {
			t.Errorf("%+v", o)
		}
		r.after(101 * time.Millisecond)
		if o := last(boss); o.Holder != nil || o.Fence != 0 {
			t.Errorf("%+v", o)
		}
		// Fences rise over restarts.
		r.end()
		r.start(Config{})
		if o := do(anna, rpc.Take, ""); o.Fence <= over.Fence {
			t.Errorf("fence %d after %d", o.Fence, over.Fence)
		}
	})
}

// last is the newest that was said of the lease.
func last(v *viewer) (o rpc.Outcome) {
	for _, heard := range v.heard() {
		if heard.Type == rpc.Lease {
			o = heard
		}
	}
	return o
}

// Two contend for the lease, with copies, losses and restarts: there is never more than one, and fences only rise.
func TestTwoContend(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			r := &rig{t: t, disk: newDisk()}
			r.start(Config{})
			fences, top := map[uint64]string{}, uint64(0)
			vs := []*viewer{r.viewer("Anna", operatorRole), r.viewer("Bert", admin)}
			for range 100 {
				v := vs[rnd.IntN(2)]
				do := []string{rpc.Take, rpc.Take, rpc.TakeOver, rpc.Release, rpc.Renew, rpc.Request}[rnd.IntN(6)]
				c := rpc.Command{Type: rpc.Lease, Do: do, ID: r.id(), Epoch: r.epoch, By: r.tick().At + 1_000_000}
				for range 1 + rnd.IntN(3) {
					v.say(c)
				}
				switch rnd.IntN(10) {
				case 0:
					r.Gone(v)
					v.conn += "+"
				case 1:
					r.after(time.Duration(rnd.IntN(6000)) * time.Millisecond)
				case 2:
					r.end()
					r.start(Config{})
				}
				mine := 0
				for _, v := range vs {
					o := r.lease.outcome(0, v.conn)
					if !o.Mine {
						continue
					}
					mine++
					if who, known := fences[o.Fence]; known && who != v.name || o.Fence < top {
						t.Fatalf("seed %d: fence %d for %s, after %d; it was %s's", seed, o.Fence, v.name, top, who)
					}
					fences[o.Fence], top = v.name, o.Fence
				}
				if mine > 1 {
					t.Fatalf("seed %d: two hold it", seed)
				}
			}
			r.end()
		})
	}
}

// Whatever comes, in whatever order: what moves has had a valid heartbeat within the dead-man time, and after it was made safe a neutral one first.
func TestAnyHeartbeats(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) { anyHeartbeats(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func anyHeartbeats(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	r := &rig{t: t, disk: newDisk()}
	r.start(Config{})
	defer r.end()
	anna := r.viewer("Anna", operatorRole)
	anna.take()
	var good time.Time // the last heartbeat that can have been valid
	neutral := false   // since it was at rest there was a neutral one
	seen := time.Now() // when the hand was first seen at its value
	moved := 0
	for range 400 {
		target := []float64{0, 0, 1, -1, 2}[rnd.IntN(5)]
		tick, hand := r.tick(), anna.hand+1
		if rnd.IntN(4) == 0 {
			tick.At -= min(tick.At, uint64(rnd.IntN(1_000_000)))
		}
		if rnd.IntN(4) == 0 {
			hand = anna.hand
		}
		fresh := r.tick().At-tick.At <= uint64(DefaultAge.Microseconds())
		if hand > anna.hand {
			seen = time.Now()
		}
		if fresh && time.Since(seen) <= 150*time.Millisecond {
			good = seen
			neutral = neutral || target == 0
		}
		anna.hand = hand
		anna.beat(wire.Drive{Hand: hand, Tick: tick, Setpoints: []wire.Target{speed(target)}})
		at := r.rover.get(1)
		if at != 0 {
			moved++
			if !neutral {
				t.Fatal("it moved, and no neutral heartbeat was there")
			}
		}
		for range rnd.IntN(1 + rnd.IntN(60)) {
			r.after(10 * time.Millisecond)
			if time.Since(good) > DefaultDeadman && r.rover.get(1) != 0 {
				t.Fatalf("it moves %v after the last heartbeat", time.Since(good))
			}
		}
		if time.Since(good) > DefaultDeadman {
			neutral = false
		}
		if rnd.IntN(3) == 0 {
			anna.renew()
		}
	}
	if moved == 0 {
		t.Error("it never moved: nothing was tested")
	}
}
