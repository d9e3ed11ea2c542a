package safety

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// operatorVariable tells a program that it is to be an operator, and which.
const operatorVariable = "TELEPATH_OPERATOR"

// order is what an operator is told at its start. Lines on its standard input tell it what to do:
//
//	hold                       hold the axis from now on, with the lease that it takes
//	rest                       let go
//	contend                    hold it whenever that can be had, and hand it over to who asks
//	reload                     leave, and come again with the same key
//	call WHAT MS DEADLINE_MS   have WHAT noted, which takes so long
//	tell                       say how it stands
type order struct {
	URL, Token, Name, Key string
	Only                  []string // rungs; none: all
	Value                 float64  // where the axis is held
}

// said is a line of an operator.
type said struct {
	Type  string // path, driving, lease, call, paused, status
	At    int64  // µs
	Path  string
	State string // of a call, or of the hand
	Code  string // of a call; of a path: why this one
	What  string // of a call
	Made  int64  // of a call, µs
	Begun int64  // of a call, µs: its deadline had begun to run
	Fence uint64 // of a lease that is ours
	MS    int64  // paused: for how long the hand did not run; call: its deadline

	Status *peer.Status `json:",omitempty"`
}

// HasPart reports whether this program was started to take part: its main then calls TakePart and nothing else.
func HasPart() bool { return os.Getenv(operatorVariable) != "" || os.Getenv(witnessVariable) != "" }

// TakePart is an operator, until its standard input ends, or a witness, for ever.
func TakePart() error {
	if os.Getenv(witnessVariable) != "" {
		witness()
	}
	o := &operator{out: json.NewEncoder(os.Stdout)}
	if err := json.Unmarshal([]byte(os.Getenv(operatorVariable)), &o.order); err != nil {
		return fmt.Errorf("%s: %w", operatorVariable, err)
	}
	only, err := peer.ParseOnly(o.order.Only)
	if err != nil {
		return err
	}
	o.endpoint = peer.Endpoint{URL: o.order.URL, Token: o.order.Token, Only: only}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- o.live(ctx) }()
	go o.hold(ctx)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := o.obey(ctx, strings.Fields(lines.Text())); err != nil {
			return err
		}
	}
	cancel()
	return <-ended
}

// operator is one under way.
type operator struct {
	order    order         // set once
	endpoint peer.Endpoint // set once

	outMu sync.Mutex
	out   *json.Encoder // guarded by outMu

	mu       sync.Mutex
	remote   *peer.Remote       // guarded by mu, like all below; nil: none now
	leave    context.CancelFunc // of the life under way
	holds    bool
	contends bool
	fence    uint64
	driving  rpc.Driving
}

func (o *operator) say(s said) {
	s.At = time.Now().UnixMicro()
	o.outMu.Lock()
	defer o.outMu.Unlock()
	_ = o.out.Encode(s) // who does not read it is gone
}

// live is one Conn after the other.
func (o *operator) live(ctx context.Context) error {
	for ctx.Err() == nil {
		life, leave := context.WithCancel(ctx)
		remote, err := peer.NewRemote(peer.RemoteConfig{
			View: peer.ViewConfig{Endpoint: o.endpoint, Device: device, Events: peer.Events{Path: o.onPath, Outcome: o.onOutcome}},
			Key:  o.order.Key, Name: o.order.Name, Changed: o.onChange,
		})
		if err == nil {
			o.mu.Lock()
			o.remote, o.leave = remote, leave
			o.mu.Unlock()
			err = remote.Run(life)
		}
		leave()
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *operator) now() *peer.Remote {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.remote
}

func (o *operator) onPath(p peer.Path) {
	name := ""
	if p.OK {
		name = p.Rung.String()
	}
	o.say(said{Type: "path", Path: name, Code: p.Reason})
}

// onOutcome tells of a lease that is ours, once.
func (o *operator) onOutcome(body []byte) {
	outcome, err := rpc.ParseOutcome(body)
	if err != nil || outcome.Type != rpc.Lease || !outcome.Mine {
		return
	}
	o.mu.Lock()
	fresh := outcome.Fence != o.fence
	o.fence = outcome.Fence
	o.mu.Unlock()
	if fresh {
		o.say(said{Type: "lease", Fence: outcome.Fence})
	}
}

// onChange tells of the hand when that is another one.
func (o *operator) onChange() {
	remote := o.now()
	if remote == nil {
		return
	}
	driving := remote.Status().Driving
	o.mu.Lock()
	fresh := o.driving != driving
	o.driving = driving
	o.mu.Unlock()
	if fresh {
		o.say(said{Type: "driving", State: fmt.Sprint(int(driving))})
	}
}

func (o *operator) obey(ctx context.Context, words []string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case len(words) == 1 && words[0] == "hold":
		o.holds = true
	case len(words) == 1 && words[0] == "rest":
		o.holds = false
	case len(words) == 1 && words[0] == "contend":
		o.holds, o.contends = true, true
	case len(words) == 1 && words[0] == "reload":
		o.leave()
	case len(words) == 1 && words[0] == "tell":
		status := o.remote.Status()
		go o.say(said{Type: "status", Status: &status})
	case len(words) == 4 && words[0] == "call":
		ms, err := strconv.Atoi(words[2])
		wait, err2 := strconv.Atoi(words[3])
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		go o.call(ctx, o.remote, words[1], ms, time.Duration(wait)*time.Millisecond)
	default:
		return fmt.Errorf("no such order: %q", words)
	}
	return nil
}

func (o *operator) call(ctx context.Context, remote *peer.Remote, what string, ms int, deadline time.Duration) {
	s := said{Type: "call", What: what, Made: time.Now().UnixMicro(), MS: deadline.Milliseconds()}
	params, err := json.Marshal(map[string]any{"what": what, "seconds": float64(ms) / 1000})
	if err == nil {
		var info rpc.CallInfo
		var begun atomic.Int64
		begin := func(rpc.CallInfo) { begun.CompareAndSwap(0, time.Now().UnixMicro()) }
		info, err = remote.Call(ctx, peer.Call{Method: "note", Params: params, Deadline: deadline, Each: begin})
		s.Begun = begun.Load()
		s.State, s.Code = string(info.State), info.Code
	}
	if err != nil {
		s.State, s.Code = "error", err.Error()
	}
	o.say(s)
}

const (
	// handEvery is how often the hand is there.
	handEvery = 20 * time.Millisecond
	// shiftEvery is how often it holds the axis a little elsewhere, so that the actuator's book shows what came last.
	shiftEvery = 60 * time.Millisecond
	// pauseFrom is from when on a hand that did not get to run is told of: it may have been none.
	pauseFrom = 80 * time.Millisecond
	// askEvery is how often the lease is asked for.
	askEvery = 300 * time.Millisecond
)

// hold is the hand.
func (o *operator) hold(ctx context.Context) {
	h := hand{count: uint64(time.Now().UnixMilli()), last: time.Now()}
	for tick := time.NewTicker(handEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		now := time.Now()
		if pause := now.Sub(h.last); pause >= pauseFrom {
			o.say(said{Type: "paused", MS: pause.Milliseconds()})
		}
		h.last = now
		o.beat(ctx, &h, now)
	}
}

// hand is what the loop of one remembers.
type hand struct {
	count     uint64
	last      time.Time
	asked     time.Time
	held, let bool
}

func (o *operator) beat(ctx context.Context, h *hand, now time.Time) {
	o.mu.Lock()
	remote, holds, contends := o.remote, o.holds, o.contends
	o.mu.Unlock()
	if remote == nil {
		return
	}
	s := remote.Status()
	if now.Sub(h.asked) >= askEvery {
		h.asked = now
		o.ask(ctx, remote, s, holds, contends)
	}
	if !holds && !h.held {
		return
	}
	// One whom the device does not obey any more lets go: says that the axis is neutral, and no more until it may come again.
	tripped := s.Driving == rpc.Tripped
	if tripped && h.let {
		return
	}
	value := 0.0
	if holds && !tripped {
		value = o.order.Value * (1 - 0.1*float64(now.UnixNano()/int64(shiftEvery)%2))
	}
	h.let, h.held = tripped, holds
	h.count++
	remote.Hand(h.count, []wire.Target{{Axis: axis, Value: value}})
}

// ask sees to the lease, in its own time.
func (o *operator) ask(ctx context.Context, remote *peer.Remote, s peer.Status, holds, contends bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	go func() {
		defer cancel()
		switch {
		case !holds || s.Machine == nil:
		case s.Lease.Mine && contends && len(s.Lease.Asks) > 0:
			remote.Give(s.Lease.Asks[0].ID)
		case s.Lease.Mine:
		case s.Lease.Holder == nil, !contends:
			_, _ = remote.Take(ctx) // the next look tells
		default:
			_, _ = remote.Request(ctx)
		}
	}()
}
