package control

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/control/journal"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Bounds of what waits.
const (
	maxOrders   = 64   // commands that wait for the disk
	maxWaiting  = 16   // calls that wait for one actuator
	maxAnswered = 1024 // commands for lease and stop that are remembered by their id
)

// maxWait is how far ahead the deadline of a command may be, in µs: so long must its id be remembered.
const maxWait = 600_000_000

// Authority decides what becomes of commands. It implements peer.Control: these methods never wait, neither for the disk nor
// for an actuator.
type Authority struct {
	cfg     Config // set once
	epoch   uint32
	machine rpc.Machine
	methods map[string]*method
	hands   []*hand
	journal *journal.Journal
	board   *board        // set by Run
	orders  chan order    // to the desk
	persist chan struct{} // the stop has changed, or the journal is behind
	woken   chan struct{} // the watch has something new to wait for

	mu        sync.Mutex
	running   bool // guarded by mu, like all below
	lease     lease
	motion    motion
	hold      hold
	stop      journal.Stop
	stopped   uint64               // how many stops came
	stoppedAt uint64               // µs; when the last one did
	unkept    bool                 // the disk does not take the stop
	stops     []pending            // that are not answered yet
	operators map[string]*operator // by Conn: as many as the host serves
	calls     map[string]*call     // that have not ended
	taking    *call                // that the desk is putting on the disk; nil: none
	answered  answers
	outbox    outbox
	drive     wire.Drive
}

// order is a command that may have to wait for the disk.
type order struct {
	from  string // Conn
	c     rpc.Command
	stops uint64 // how many there had been when it came
}

var _ peer.Control = (*Authority)(nil)

// New reads the journal, and makes the authority over what the actuators offer. It moves nothing.
func New(cfg Config) (*Authority, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	a := &Authority{
		cfg: cfg, epoch: 1 + rand.Uint32N(1<<32-1), methods: map[string]*method{},
		orders: make(chan order, maxOrders), persist: make(chan struct{}, 1), woken: make(chan struct{}, 1),
		operators: map[string]*operator{}, calls: map[string]*call{}, answered: answers{of: map[string]answer{}},
	}
	if err := a.assemble(); err != nil {
		return nil, err
	}
	a.motion = newMotion(a.epoch, uint64(cfg.Deadman.Microseconds()), uint64(cfg.Age.Microseconds()), a.machine.Axes)
	_, a.motion.asleep = cfg.now()
	a.journal = journal.Open(journal.Config{FS: cfg.FS, Log: cfg.Log})
	a.stop, a.lease.fence = a.journal.Stop(), a.journal.Fence()
	return a, nil
}

// Run obeys until ctx ends. It begins and ends with everything made safe, and returns when what was under way has ended.
func (a *Authority) Run(ctx context.Context) error {
	board, err := newBoard(a.cfg.Sink, a.machine)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	a.mu.Lock()
	a.board = board
	a.mu.Unlock()
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var tasks sync.WaitGroup
	for _, h := range a.hands {
		tasks.Go(func() { h.keepSafe(work) })
		tasks.Go(func() { h.move(work) })
		tasks.Go(func() { h.work(work) })
	}
	tasks.Go(func() { a.desk(work) })
	tasks.Go(func() { a.watch(work) })
	if a.cfg.Guard != nil {
		a.cfg.Guard.Lost(func() { a.unsafe("the guard process is not watching") })
	}
	a.begin()
	<-ctx.Done()
	a.finish()
	end()
	tasks.Wait()
	a.keep() // a stop may have come behind the desk
	return a.journal.Close()
}

func (a *Authority) begin() {
	a.mu.Lock()
	defer a.unlock()
	a.running = true
	a.safeLocked("start")
	a.boardLocked()
	if a.stop.Latched {
		a.logLocked("stopped by %s, until somebody resets it", a.stop.By)
	}
}

// endPatience is how long the end of the program waits for actuators to be safe and for calls to end.
const endPatience = 2 * time.Second

// finish makes everything safe, first of all, and then waits for what is under way.
func (a *Authority) finish() {
	a.mu.Lock()
	a.running = false
	a.safeLocked("the device's program is ending")
	a.endLeaseLocked("the device's program is ending")
	for c := range a.openLocked() {
		c.callOff("the device's program is ending")
	}
	a.unlock()
	for end := time.Now().Add(endPatience); time.Now().Before(end) && !a.quiet(); {
		time.Sleep(time.Millisecond)
	}
	a.leaveToGuard()
}

// leaveToGuard has the guard make safe what could not be, also if nothing was driven: it may not go as one to whom all is safe. If it
// is after all, before the program has ended, it is told so.
func (a *Authority) leaveToGuard() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.missingLocked() != nil && a.cfg.Guard != nil {
		a.cfg.Guard.Beat()
	}
}

// quiet says whether everything is safe and no call is under way.
func (a *Authority) quiet() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.missingLocked() == nil && len(a.calls) == 0 && a.taking == nil
}

// now is the time on the clock that ticks show, in µs, after what it has brought to its end has ended.
func (a *Authority) nowLocked() uint64 {
	now, asleep := a.cfg.now()
	switch slept := a.motion.slept(asleep); {
	case !a.motion.moving:
	case slept:
		a.safeLocked("the machine was suspended")
	case a.motion.expired(now):
		a.safeLocked("no valid heartbeat came")
	}
	if a.lease.expired(now) {
		a.endLeaseLocked("it was not renewed")
		a.tellLeaseLocked(now, "")
	}
	return now
}

// wake has the watch look at what there is to wait for.
func (a *Authority) wake() {
	select {
	case a.woken <- struct{}{}:
	default:
	}
}

// unsafe makes everything safe for a reason that lies in this program or its machine.
func (a *Authority) unsafe(why string) {
	a.mu.Lock()
	defer a.unlock()
	if a.motion.moving || a.heldLocked() {
		a.safeLocked(why)
	}
}
