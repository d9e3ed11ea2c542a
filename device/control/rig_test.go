package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/disk/disktest"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// rover is an actuator that keeps a ledger of what it was told.
type rover struct {
	slow time.Duration // that Apply takes
	deny error         // what Safe answers

	safely time.Duration   // that Safe takes
	creeps time.Duration   // for so long a call "creep", "haul" or "drag" goes on when it was told to end
	result json.RawMessage // of calls

	mu     sync.Mutex
	at     map[uint64]float64
	sets   int
	safes  []time.Time
	calls  []string
	hold   chan struct{} // a call "wait" ends when this is closed, or its ctx does
	stuck  chan struct{} // a call "stick" ends only when this is closed
	moving bool

	failed func(error) // set once
}

var (
	_ actuator.Actuator = (*rover)(nil)
	_ actuator.Reporter = (*rover)(nil)
)

func (r *rover) Report(_ func(map[uint64]float64), failed func(error)) { r.failed = failed }

func newRover() *rover {
	return &rover{creeps: 100 * time.Millisecond, result: json.RawMessage(`{"ok": true}`), at: map[uint64]float64{}, hold: make(chan struct{}), stuck: make(chan struct{})}
}

func (r *rover) Axes() []rpc.Axis {
	return []rpc.Axis{{ID: 1, Name: "speed", Min: -1, Max: 2}, {ID: 2, Name: "arm", Min: 0, Max: 90, Neutral: 45, Slew: 100}}
}

func (r *rover) Methods() []rpc.Method {
	speed := json.RawMessage(`{"type": "object", "required": ["v"], "properties": {"v": {"type": "number", "maximum": 9}, "how": {"type": "string", "default": "fast"}}}`)
	return []rpc.Method{
		{Name: "horn", Rate: 1000},
		{Name: "count", Rate: 1000},
		{Name: "wait", LimitMS: 60_000},
		{Name: "creep"},
		{Name: "stick", LimitMS: 1000},
		{Name: "set", Params: speed},
		{Name: "wipe", Role: admin},
		{Name: "grab", Lease: true},
		{Name: "haul", Lease: true},
		{Name: "drag", Lease: true, LimitMS: 1000},
		{Name: "rare", Rate: 0.5},
	}
}

func (r *rover) Apply(values map[uint64]float64) (map[uint64]float64, error) {
	time.Sleep(r.slow)
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.at, values)
	r.sets++
	r.moving = true
	return values, nil
}

func (r *rover) Safe() error {
	time.Sleep(r.safely)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deny != nil {
		return r.deny
	}
	r.at = map[uint64]float64{}
	r.moving = false
	r.safes = append(r.safes, time.Now())
	return nil
}

func (r *rover) Call(ctx context.Context, method string, params json.RawMessage, progress func(float64)) (json.RawMessage, error) {
	r.mu.Lock()
	r.calls = append(r.calls, method+string(params))
	r.mu.Unlock()
	switch method {
	case "wait":
		progress(0.5)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.hold:
		}
	case "stick":
		<-r.stuck
	case "creep", "haul", "drag": // it sets something once more before it ends
		<-ctx.Done()
		time.Sleep(r.creeps)
		r.mu.Lock()
		r.moving = true
		r.mu.Unlock()
		return nil, ctx.Err()
	case "grab":
		return nil, errors.New("nothing there")
	}
	return r.result, nil
}

func (r *rover) get(axis uint64) (v float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at[axis]
}

func (r *rover) moves() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moving
}

func (r *rover) ran() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.calls...)
}

func (r *rover) lastSafe() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.safes[len(r.safes)-1]
}

// testSink is a sink that keeps the newest value of each stream, and the log.
type testSink struct {
	mu     sync.Mutex
	values map[string]string
	log    []string
}

type testWriter struct {
	sink *testSink
	name string
}

func (s *testSink) Declare(d source.Stream) (source.Writer, error) {
	return testWriter{s, d.Name}, d.Check()
}

func (w testWriter) Put(_ int64, v telemetry.Value) error {
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	if w.name == "control/log" {
		w.sink.log = append(w.sink.log, v.String())
	}
	w.sink.values[w.name] = v.String()
	return v.Check()
}

func (s *testSink) get(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[name]
}

// rig is an authority that runs in simulated time, and those who command it.
type rig struct {
	*Authority
	t      *testing.T
	rover  *rover
	sink   *testSink
	disk   *disktest.Memory
	asleep atomic.Int64 // ns
	ids    int
	end    func()
}

// within runs a test in simulated time.
func within(t *testing.T, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, disk: newDisk()}
		r.start(Config{})
		f(r)
		r.end()
	})
}

// start begins another run of the device's program, on the same disk.
func (r *rig) start(cfg Config) {
	r.t.Helper()
	born := time.Now()
	r.rover, r.sink = newRover(), &testSink{values: map[string]string{}}
	cfg.Actuators, cfg.FS, cfg.Sink = []actuator.Actuator{r.rover}, r.disk, r.sink
	cfg.now = func() (uint64, uint64) {
		asleep := time.Duration(r.asleep.Load())
		return uint64((time.Since(born) + asleep).Microseconds()), uint64(asleep.Microseconds())
	}
	a, err := New(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Authority = a
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	r.end = func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Error(err)
		}
	}
	synctest.Wait()
}

// id is one that was not used before.
func (r *rig) id() string {
	r.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", r.ids)
}

func (r *rig) tick() wire.Tick {
	at, _ := r.cfg.now()
	return wire.Tick{Epoch: r.epoch, At: at}
}

// viewer is somebody at a Conn.
type viewer struct {
	r    *rig
	conn string
	role string
	name string

	mu       sync.Mutex
	outcomes []rpc.Outcome
	ticks    []wire.Tick

	fence, seq, hand uint64
}

func (r *rig) viewer(name, role string) *viewer {
	return &viewer{r: r, conn: "conn-of-" + name, role: role, name: name}
}

func (v *viewer) ID() string   { return v.conn }
func (v *viewer) Role() string { return v.role }

func (v *viewer) Say(body []byte) {
	o, err := rpc.ParseOutcome(body)
	if err != nil {
		v.r.t.Errorf("%s: %v", body, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.outcomes = append(v.outcomes, o)
}

func (v *viewer) Tick(t wire.Tick) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ticks = append(v.ticks, t)
}

// told are the ticks since it was asked last.
func (v *viewer) told() []wire.Tick {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.ticks
	v.ticks = nil
	return out
}

// say sends a command, as it is but for what is always the same, and waits until nothing more happens by itself.
func (v *viewer) say(c rpc.Command) string {
	if c.ID == "" {
		c.ID = v.r.id()
	}
	if c.Epoch == 0 {
		c.Epoch = v.r.epoch
	}
	if c.By == 0 {
		c.By = v.r.tick().At + 1_000_000
	}
	if c.Type == rpc.Lease && c.Key == "" {
		c.Key = "key-of-" + v.name
	}
	c.Name = v.name
	v.r.Command(v, c.Append(nil))
	synctest.Wait()
	return c.ID
}

// heard are the outcomes since it was asked last.
func (v *viewer) heard() []rpc.Outcome {
	synctest.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.outcomes
	v.outcomes = nil
	return out
}

// of is the last outcome for an id.
func (v *viewer) of(id string) (last rpc.Outcome) {
	v.r.t.Helper()
	for _, o := range v.heard() {
		if o.ID == id {
			last = o
		}
	}
	if last.Type == "" {
		v.r.t.Fatalf("%s heard nothing of %s", v.name, id)
	}
	return last
}

// call says a call, and returns what it hears of it.
func (v *viewer) call(method, params string) rpc.Outcome {
	v.r.t.Helper()
	c := rpc.Command{Type: rpc.Call, Method: method, Fence: v.fence}
	if params != "" {
		c.Params = json.RawMessage(params)
	}
	return v.of(v.say(c))
}

// take takes the lease.
func (v *viewer) take() {
	v.r.t.Helper()
	o := v.of(v.say(rpc.Command{Type: rpc.Lease, Do: rpc.Take}))
	if o.Code != "" || !o.Mine {
		v.r.t.Fatalf("%+v", o)
	}
	v.fence = o.Fence
}

func (v *viewer) renew() { v.say(rpc.Command{Type: rpc.Lease, Do: rpc.Renew}) }

// drive sends a heartbeat with a hand that is there and the newest tick.
func (v *viewer) drive(targets ...wire.Target) {
	v.hand++
	v.beat(wire.Drive{Hand: v.hand, Tick: v.r.tick(), Setpoints: targets})
}

func (v *viewer) beat(d wire.Drive) {
	v.seq++
	d.Fence, d.Seq = v.fence, v.seq
	v.r.Drive(v, wire.AppendDrive(nil, &d))
	synctest.Wait()
}

func speed(x float64) wire.Target { return wire.Target{Axis: 1, Value: x} }

// after lets time go by.
func (r *rig) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func newDisk() *disktest.Memory { return disktest.New(1) }
