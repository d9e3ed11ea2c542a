package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// desk is a Control that obeys whoever comes, once.
type desk struct {
	host *Host
	born time.Time

	mu     sync.Mutex
	who    map[string]Operator
	gone   int
	runs   map[string]int // by id of a call
	bodies [][]byte       // of all commands
	stops  int
	drives []driven
}

type driven struct {
	at    time.Time
	drive wire.Drive
}

func (d *desk) tick() wire.Tick {
	return wire.Tick{Epoch: d.host.epoch, At: uint64(time.Since(d.born) / time.Microsecond)}
}

func (d *desk) Command(from Operator, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.who[from.ID()] = from
	d.bodies = append(d.bodies, append([]byte(nil), body...))
	c, err := rpc.ParseCommand(body)
	if err != nil {
		panic(err)
	}
	tick := d.tick()
	switch late := c.Epoch != tick.Epoch || tick.At > c.By; c.Type {
	case rpc.Operate:
		from.Tick(tick)
		from.Say(rpc.Outcome{Type: rpc.OutcomeMachine, Moving: true, Machine: &rpc.Machine{Axes: []rpc.Axis{{ID: 1, Max: 1}}}}.Append(nil))
	case rpc.Call:
		switch {
		case d.runs[c.ID] > 0:
		case late:
			from.Say(rpc.Outcome{Type: rpc.Call, ID: c.ID, State: rpc.Expired, Code: rpc.CodeLate}.Append(nil))
			return
		default:
			d.runs[c.ID]++
		}
		from.Say(rpc.Outcome{Type: rpc.Call, ID: c.ID, State: rpc.Done, Result: c.Params}.Append(nil))
	case rpc.Ask:
		o := rpc.Outcome{Type: rpc.Call, ID: c.ID, State: rpc.Expired, Code: rpc.CodeLate}
		if d.runs[c.ID] > 0 {
			o.State, o.Code = rpc.Done, ""
		}
		from.Say(o.Append(nil))
	case rpc.Lease:
		from.Say(rpc.Outcome{Type: rpc.Lease, ID: c.ID, Mine: true, Fence: 1, TTLMS: 5000}.Append(nil))
	case rpc.Stop:
		d.stops++
		from.Say(rpc.Outcome{Type: rpc.Stop, ID: c.ID, Stopped: true}.Append(nil))
	}
}

func (d *desk) Drive(_ Operator, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var drive wire.Drive
	if err := wire.ParseDrive(&drive, body); err != nil {
		panic(err)
	}
	d.drives = append(d.drives, driven{time.Now(), drive})
}

func (d *desk) Gone(from Operator) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.who, from.ID())
	d.gone++
}

// keepTicking is what a device does for who holds the lease.
func (d *desk) keepTicking(ctx context.Context) {
	for ctx.Err() == nil {
		d.mu.Lock()
		for _, o := range d.who {
			o.Tick(d.tick())
		}
		d.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
	}
}

// control gives the device a desk.
func (w *world) control(t *testing.T) *desk {
	d := &desk{born: time.Now(), who: map[string]Operator{}, runs: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	ticking := make(chan struct{})
	go func() { defer close(ticking); d.keepTicking(ctx) }()
	t.Cleanup(func() { cancel(); <-ticking })
	w.before = func(dev *device) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.host, dev.host.cfg.Control = dev.host, d
	}
	return d
}

// remote is a program that commands.
type remote struct {
	node
	*Remote
	ticks []time.Time
}

func (w *world) command(change func(*ViewConfig)) *remote {
	w.t.Helper()
	r := &remote{}
	view := ViewConfig{Endpoint: Endpoint{URL: "http://relay"}, Device: "bench", Events: Events{Tick: func(wire.Tick) {
		r.node.mu.Lock()
		defer r.node.mu.Unlock()
		r.ticks = append(r.ticks, time.Now())
	}}}
	if change != nil {
		change(&view)
	}
	var err error
	if r.Remote, err = NewRemote(RemoteConfig{View: view}); err != nil {
		w.t.Fatal(err)
	}
	c := r.conn
	c.link.dial, c.attempts.direct = r.dialer(w.relay, false), w.director(&r.node)
	c.link.lift.dial, c.link.road.ahead.dial = nil, nil
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			w.t.Error("Remote.Run:", err)
		}
	})
	r.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(r.stop)
	return r
}

func (r *remote) rung() (rung string) {
	r.conn.loop.ask(context.Background(), func() {
		if g := r.conn.paths.carrying(); g != nil && len(r.conn.paths.use) == 1 {
			rung = g.carrier.Rung().String()
		}
	})
	return rung
}

// soon ends what hangs.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestCallsRunOnce: over the death of a path, its return and a restart of the server each call has one end, which is true.
func TestCallsRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Grant("operator")
		d := w.control(t)
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		r := w.command(nil)
		if _, err := r.Ready(soon(t)); err != nil {
			t.Fatal(err)
		}
		w.await(5*time.Second, "direct", func() bool { return r.rung() == "udp" })
		time.Sleep(2 * time.Second)
		var calls sync.WaitGroup
		var mu sync.Mutex
		ends, done := map[string]rpc.State{}, 0
		for i := range 120 {
			switch i {
			case 20:
				w.ether.Cut()
			case 50:
				w.ether.Heal()
			case 80:
				w.relay.Stop()
			case 85:
				w.relay.Start()
			}
			calls.Go(func() {
				params := json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))
				info, err := r.Call(soon(t), Call{Method: "home", Params: params, Deadline: time.Second})
				if err != nil {
					t.Errorf("call %d: %v", i, err)
				}
				mu.Lock()
				defer mu.Unlock()
				ends[info.ID] = info.State
				if info.State == rpc.Done {
					done++
				}
			})
			time.Sleep(100 * time.Millisecond)
		}
		calls.Wait()
		d.mu.Lock()
		defer d.mu.Unlock()
		for id, n := range d.runs {
			if n != 1 || ends[id] != rpc.Done && ends[id] != rpc.Unknown {
				t.Errorf("call %s ran %d times, its end is %s", id, n, ends[id])
			}
		}
		for id, state := range ends {
			if ran := d.runs[id] > 0; ran != (state == rpc.Done) {
				t.Errorf("call %s ran: %v, its end is %s", id, ran, state)
			}
		}
		t.Logf("%d of 120 calls are done", done)
		if done < 115 {
			t.Errorf("%d of 120 calls are done", done)
		}
	})
}

// TestACancelledCallHasAnEnd: also when the device does not say so any more.
func TestACancelledCallHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Grant("operator")
		w.control(t)
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		r := w.command(nil)
		if _, err := r.Ready(soon(t)); err != nil {
			t.Fatal(err)
		}
		w.await(5*time.Second, "direct", func() bool { return r.rung() == "udp" })
		w.ether.Cut()
		w.relay.Stop()
		ctx, cancel := context.WithTimeout(soon(t), 100*time.Millisecond)
		defer cancel()
		if info, err := r.Call(ctx, Call{Method: "home", Deadline: time.Minute}); err != nil || info.State != rpc.Unknown {
			t.Errorf("%+v, %v", info, err)
		}
	})
}

// TestWhoMayOnlyWatch moves nothing, on the relay and directly: the device decides that for itself.
func TestWhoMayOnlyWatch(t *testing.T) {
	for _, path := range []string{"ws", "udp"} {
		t.Run(path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, peertest.Config{Delay: oneWay})
				w.relay.Grant("viewer") // this relay lets pass what it has to
				d := w.control(t)
				w.boot(time.Hour)
				time.Sleep(time.Second)
				var said []rpc.Outcome
				v := w.watch(func(c *ViewConfig) {
					c.NoDirect = path == "ws"
					c.Events.Outcome = func(body []byte) {
						o, err := rpc.ParseOutcome(body)
						if err != nil {
							t.Error(err)
						}
						said = append(said, o)
					}
				})
				w.await(5*time.Second, path, func() bool { return v.rung() == path })
				time.Sleep(2 * time.Second)
				for _, c := range []rpc.Command{
					{Type: rpc.Operate, On: true},
					{Type: rpc.Call, ID: "a", Method: "home", Epoch: w.device.host.epoch, By: 1 << 50},
					{Type: rpc.Stop, ID: "b"},
					{Type: rpc.Lease, ID: "c", Do: rpc.Take},
				} {
					v.conn.Command(c.Append(nil), true)
				}
				v.conn.Drive(&wire.Drive{Fence: 1, Seq: 1, Hand: 1})
				time.Sleep(time.Second)
				v.stop()
				if len(d.bodies)+len(d.drives) > 0 {
					t.Errorf("the device's Control got %q, %v", d.bodies, d.drives)
				}
				for _, o := range said {
					if o.Code != rpc.CodeRole || o.ID == "a" && o.State != rpc.Rejected {
						t.Errorf("told %+v", o)
					}
				}
				if until := w.device.host.driven; until != 0 {
					t.Errorf("somebody is taken to drive until %v", until)
				}
				if dropped := w.device.host.Stats().Drops["role"]; dropped < 5 || len(said) < 4 {
					t.Errorf("%d dropped, told %+v", dropped, said)
				}
			})
		})
	}
}

// TestTwoOperators each hear what becomes of their own commands.
func TestTwoOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Grant("operator")
		d := w.control(t)
		w.boot(time.Hour)
		time.Sleep(time.Second)
		relayed, direct := w.command(func(v *ViewConfig) { v.NoDirect = true }), w.command(nil)
		for i, r := range []*remote{relayed, direct} {
			params := json.RawMessage(fmt.Sprint(i))
			info, err := r.Call(soon(t), Call{Method: "home", Params: params, Deadline: 2 * time.Second})
			if err != nil || info.State != rpc.Done || string(info.Result) != string(params) {
				t.Errorf("%d: %+v, %v", i, info, err)
			}
		}
		stop, err := direct.Stop(soon(t))
		if err != nil || !stop.Stopped || relayed.Status().Stop.Stopped {
			t.Errorf("%+v, %v", stop, err)
		}
		relayed.stop()
		direct.stop()
		time.Sleep(time.Second)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.gone != 2 || len(d.runs) != 2 || d.stops == 0 {
			t.Errorf("%d are gone, %d calls ran, stops %d", d.gone, len(d.runs), d.stops)
		}
	})
}

// TestNothingIsOffered: a device without a Control says so.
func TestNothingIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Grant("operator")
		w.boot(time.Hour)
		time.Sleep(time.Second)
		r := w.command(nil)
		_, err := r.Ready(soon(t))
		if no, ok := err.(*NotOfferedError); !ok || no.Code != rpc.CodeNotOffered {
			t.Error(err)
		}
		info, err := r.Call(soon(t), Call{Method: "home", Deadline: time.Second})
		if err != nil || info.State != rpc.Expired {
			t.Errorf("%+v %v", info, err)
		}
		if stop, err := r.Stop(soon(t)); err != nil || stop.Code != rpc.CodeNotOffered {
			t.Errorf("%+v %v", stop, err)
		}
	})
}

// TestNoWordIsMissedWhenAPathDies: while a hand is there and the better path dies without a word, Drives and Ticks go on, on
// the other one, without a break.
func TestNoWordIsMissedWhenAPathDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Grant("operator")
		d := w.control(t)
		w.boot(50 * time.Millisecond)
		time.Sleep(time.Second)
		r := w.command(nil)
		if _, err := r.Take(soon(t)); err != nil {
			t.Fatal(err)
		}
		w.await(5*time.Second, "direct", func() bool { return r.rung() == "udp" })
		time.Sleep(2 * time.Second)
		for i := range 200 {
			if i == 100 {
				w.ether.Cut()
			}
			r.Hand(uint64(i+1), []wire.Target{{Axis: 1, Value: 0.5}})
			time.Sleep(20 * time.Millisecond)
		}
		left := make(chan time.Duration, 1)
		h := w.device.host
		h.loop.post(func() { left <- h.driven - h.loop.now() })
		if until := <-left; until < drivenFor-100*time.Millisecond {
			t.Errorf("the past has to yield for %v", until)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		var at []time.Time
		newest := uint64(0)
		for _, got := range d.drives {
			if got.drive.Seq > newest {
				newest = got.drive.Seq
				at = append(at, got.at)
			}
		}
		r.node.mu.Lock()
		defer r.node.mu.Unlock()
		drives, ticks := longest(at), longest(r.ticks)
		t.Logf("%d Drives, at most %v apart; %d Ticks, at most %v apart", len(at), drives, len(r.ticks), ticks)
		if len(at) < 75 || drives > 100*time.Millisecond || ticks > 100*time.Millisecond {
			t.Error("a word is missed")
		}
		for _, got := range d.drives {
			if age := d.tick().At - got.drive.Tick.At; got.drive.Fence != 1 || age > 10_000_000 {
				t.Fatalf("Drive %+v", got.drive)
			}
		}
	})
}

func longest(at []time.Time) (most time.Duration) {
	for i := range at[1:] {
		most = max(most, at[i+1].Sub(at[i]))
	}
	return most
}

// TestADeviceIsToldItsOwnKey: of the secret it learns nothing that another device would take.
func TestADeviceIsToldItsOwnKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Grant("operator")
		d := w.control(t)
		w.boot(time.Hour)
		time.Sleep(time.Second)
		var device string // as the server tells it
		r := w.command(func(view *ViewConfig) { view.Events.Opened = func(d signal.Device) { device = d.ID } })
		if lease, err := r.Take(soon(t)); err != nil || !lease.Mine {
			t.Fatalf("%+v %v", lease, err)
		}
		time.Sleep(3 * time.Second) // renewals
		d.mu.Lock()
		defer d.mu.Unlock()
		leases := 0
		for _, body := range d.bodies {
			c, err := rpc.ParseCommand(body)
			if err == nil && c.Type == rpc.Lease {
				leases++
				if c.Key != rpc.KeyFor(r.cfg.Key, device) || device == "" {
					t.Errorf("%s is said with the key %q", c.Do, c.Key)
				}
			}
			if strings.Contains(string(body), r.cfg.Key) {
				t.Errorf("the device is told the secret: %s", body)
			}
		}
		if leases < 3 {
			t.Errorf("%d commands of the lease", leases)
		}
	})
}

// TestRecordedCommandsDoNothing: in the run in which they were said, and in the next one.
func TestRecordedCommandsDoNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Grant("operator")
		d := w.control(t)
		w.boot(time.Hour)
		time.Sleep(time.Second)
		r := w.command(nil)
		if info, err := r.Call(soon(t), Call{Method: "home", Deadline: time.Second}); err != nil || info.State != rpc.Done {
			t.Fatalf("%+v %v", info, err)
		}
		d.mu.Lock()
		recorded := d.bodies
		d.mu.Unlock()
		replay := func() {
			for _, body := range recorded {
				r.conn.Command(body, true)
			}
			time.Sleep(time.Second)
		}
		replay()
		w.device.stop()
		w.boot(time.Hour)
		d.mu.Lock()
		d.born = time.Now() // its clock begins anew
		ran := len(d.runs)
		clear(d.runs) // and nothing is remembered
		d.mu.Unlock()
		time.Sleep(5 * time.Second)
		replay()
		d.mu.Lock()
		defer d.mu.Unlock()
		if ran != 1 || len(d.runs) != 0 || len(d.bodies) < 3*len(recorded) {
			t.Errorf("%d calls ran, then %d, of %d commands", ran, len(d.runs), len(d.bodies))
		}
	})
}

// TestWhoIsNotOpenedAgainIsOver: whose token was taken away, has no open let through to the device's next link. Its direct path obeys nobody and shows
// nothing a minute later, of the time in which a server has the device in. While none has, direct goes on.
func TestWhoIsNotOpenedAgainIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Grant("operator")
		d := w.control(t)
		w.boot(time.Hour)
		time.Sleep(time.Second)
		r := w.command(nil)
		if _, err := r.Ready(soon(t)); err != nil {
			t.Fatal(err)
		}
		w.await(5*time.Second, "direct", func() bool { return r.rung() == "udp" })
		stops := func() int {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.stops
		}
		expectObeyed := func(when string) {
			t.Helper()
			before := stops()
			if _, err := r.Stop(soon(t)); err != nil || stops() == before {
				t.Fatalf("%s a stop on the direct path was not obeyed: %v", when, err)
			}
		}
		r.node.mu.Lock()
		r.node.dead = true // no server lets it in any more
		r.node.mu.Unlock()
		w.relay.Stop()
		time.Sleep(10 * time.Minute)
		expectObeyed("without a server")
		w.relay.Start()
		time.Sleep(lapseTime / 2)
		expectObeyed("before its time was over")
		w.relay.Stop()
		time.Sleep(10 * time.Minute)
		w.relay.Start()
		expectObeyed("after another time without a server")
		time.Sleep(lapseTime/2 + 30*time.Second) // the device's pauses before the two links included
		before := stops()
		ctx, cancel := context.WithTimeout(soon(t), 10*time.Second)
		defer cancel()
		if _, err := r.Stop(ctx); err == nil || stops() != before {
			t.Error("a stop was obeyed afterwards")
		}
		if d.mu.Lock(); d.gone != 1 || len(d.who) > 0 {
			t.Errorf("the Control was told %d times that it is gone", d.gone)
		}
		d.mu.Unlock()
		if n := w.device.viewers(); n != 0 {
			t.Errorf("%d viewers are served", n)
		}
	})
}

func (d *device) viewers() (n int) {
	d.host.loop.ask(context.Background(), func() { n = len(d.host.conns) })
	return n
}
