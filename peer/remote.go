package peer

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// RemoteConfig says which device is to be commanded, and by whom.
type RemoteConfig struct {
	View ViewConfig // its Events are called as ever
	Key  string     // a secret: who has it has the leases that were taken with it. The device is told one of its own, made of it. Default: a random one
	Name string     // what others are shown, 1 … 64 bytes. Default: "telepath"

	// Changed is called, one at a time and from no goroutine in particular, when Status may be another one. It must not block.
	Changed func()
}

// Remote commands a device over a Conn: package rpc's half of a viewer, with a clock and a path. Its methods may be called from
// any goroutine while Run runs.
type Remote struct {
	conn *Conn // set once
	cfg  RemoteConfig
	born time.Time
	bell chan struct{} // the next wake is another one
	over chan struct{} // closed when Run has returned

	mu      sync.Mutex
	viewer  *rpc.Viewer                        // guarded by mu
	wake    time.Duration                      // guarded by mu
	news    chan struct{}                      // guarded by mu: closed at the next change
	follows map[string]func(info rpc.CallInfo) // guarded by mu; by id of a call
	ending  error                              // guarded by mu: why Run has returned
}

// Status is how it stands with a device that is commanded.
type Status struct {
	Machine   *rpc.Machine // nil: nothing is known yet, or there is none, and Code says why
	Code      string
	Lease     rpc.LeaseInfo
	LeaseLeft time.Duration // of a lease that is ours, if nothing more is heard
	Stop      rpc.StopInfo
	Driving   rpc.Driving
	RoundTrip time.Duration // of the best path, smoothed; 0: not measured
	LeastTrip time.Duration // the smallest of its latest four round trips: what a setpoint takes, which waits for no repeat of a lost one
	TickAge   time.Duration // since the device's clock was heard; negative: it was not
}

// NotOfferedError is why a device cannot be commanded.
type NotOfferedError struct{ Code string }

// Error implements error.
func (e *NotOfferedError) Error() string {
	switch e.Code {
	case rpc.CodeRole:
		return "the token may watch, not command: use an operator's (the server's DIR/tokens/operator)"
	case rpc.Unanswered:
		return "the device does not answer commands: it is an earlier version, or its server holds them back"
	}
	return "this device takes no commands"
}

// NewRemote prepares a Remote. Nothing is sent before Run.
func NewRemote(cfg RemoteConfig) (*Remote, error) {
	if cfg.Key == "" {
		var secret [16]byte
		_, _ = rand.Read(secret[:]) // never fails (crypto/rand.Read)
		cfg.Key = base64.RawURLEncoding.EncodeToString(secret[:])
	}
	if cfg.Name == "" {
		cfg.Name = "telepath"
	}
	if err := wire.CheckName(cfg.Name, rpc.MaxName); err != nil {
		return nil, fmt.Errorf("name: %w", err)
	}
	r := &Remote{
		cfg: cfg, born: time.Now(), bell: make(chan struct{}, 1), over: make(chan struct{}), news: make(chan struct{}),
		follows: map[string]func(rpc.CallInfo){},
		viewer: rpc.NewViewer(rpc.ViewerConfig{
			Name: cfg.Name, First: uint64(max(time.Now().UnixMilli(), 0)), NewID: uuid.NewString,
		}),
	}
	conn, err := Dial(r.listen(cfg.View))
	r.conn = conn
	return r, err
}

// listen has the Conn's events come here as well.
func (r *Remote) listen(view ViewConfig) ViewConfig {
	theirs := view.Events
	view.Events.Role = func(role string) {
		r.do(func(time.Duration) { r.viewer.SetRole(role) })
		if theirs.Role != nil {
			theirs.Role(role)
		}
	}
	view.Events.Opened = func(d signal.Device) {
		r.do(func(time.Duration) { r.viewer.SetKey(rpc.KeyFor(r.cfg.Key, d.ID)) })
		if theirs.Opened != nil {
			theirs.Opened(d)
		}
	}
	view.Events.Joined = func() {
		r.do(r.viewer.Joined)
		if theirs.Joined != nil {
			theirs.Joined()
		}
	}
	view.Events.Tick = func(t wire.Tick) {
		r.do(func(now time.Duration) { r.viewer.Tick(now, t) })
		if theirs.Tick != nil {
			theirs.Tick(t)
		}
	}
	view.Events.Outcome = func(body []byte) {
		r.do(func(now time.Duration) { r.outcome(now, body) })
		if theirs.Outcome != nil {
			theirs.Outcome(body)
		}
	}
	view.Events.Path = func(p Path) {
		r.do(func(time.Duration) {})
		if theirs.Path != nil {
			theirs.Path(p)
		}
	}
	return view
}

func (r *Remote) outcome(now time.Duration, body []byte) {
	if err := r.viewer.Outcome(now, body); err != nil {
		r.conn.malformed(err)
	}
}

// Run commands until ctx ends (nil), or the server or the device refuses for good. It is called once.
func (r *Remote) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var clock sync.WaitGroup
	clock.Go(func() { r.keepTime(ctx) })
	err := r.conn.Run(ctx)
	cancel()
	clock.Wait()
	r.mu.Lock()
	r.ending = err
	r.mu.Unlock()
	close(r.over)
	return err
}

// keepTime steps when that is due.
func (r *Remote) keepTime(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.bell:
		case <-timer.C:
			r.do(func(time.Duration) {})
		}
		r.mu.Lock()
		sleep := r.wake - r.now()
		r.mu.Unlock()
		timer.Reset(max(sleep, minSleep))
	}
}

func (r *Remote) now() time.Duration { return time.Since(r.born) }

// do changes what the viewer's half knows, and does what that decides.
func (r *Remote) do(change func(now time.Duration)) {
	r.mu.Lock()
	now := r.now()
	roundTrip, ok := r.conn.reach()
	r.viewer.SetPath(ok, roundTrip)
	change(now)
	d := r.viewer.Step(now)
	sooner := d.Wake < r.wake
	r.wake = d.Wake
	tell := r.tellLocked(d)
	r.mu.Unlock()
	for _, s := range d.Say {
		r.conn.Command(s.Body, s.Everywhere)
	}
	if d.Drive != nil {
		r.conn.Drive(d.Drive)
	}
	if sooner { // behind what is sent, which waits for nobody to be woken
		select {
		case r.bell <- struct{}{}:
		default:
		}
	}
	tell()
}

// tellLocked returns what tells those who wait of the news.
func (r *Remote) tellLocked(d rpc.Decision) func() {
	if !d.Changed && len(d.Calls) == 0 {
		return func() {}
	}
	close(r.news)
	r.news = make(chan struct{})
	var calls []func()
	for _, info := range d.Calls {
		if each := r.follows[info.ID]; each != nil {
			calls = append(calls, func() { each(info) })
		}
	}
	return func() {
		for _, call := range calls {
			call()
		}
		if r.cfg.Changed != nil {
			r.cfg.Changed()
		}
	}
}

// await returns nil as soon as done does, which is asked after each change, or why it cannot become so.
func (r *Remote) await(ctx context.Context, done func(now time.Duration) (bool, error)) error {
	for {
		r.mu.Lock()
		yes, err := done(r.now())
		news := r.news
		r.mu.Unlock()
		if yes || err != nil {
			return err
		}
		select {
		case <-news:
		case <-r.over:
			r.mu.Lock()
			defer r.mu.Unlock()
			return errors.Join(ErrEnded, r.ending)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
