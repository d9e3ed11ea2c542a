package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Remote is what is needed of a peer.Remote.
type Remote interface {
	Status() peer.Status
	Hand(counter uint64, targets []wire.Target)
	Stop(ctx context.Context) (rpc.StopInfo, error)
	Take(ctx context.Context) (rpc.LeaseInfo, error)
	Request(ctx context.Context) (rpc.LeaseInfo, error)
	Release(ctx context.Context) (rpc.LeaseInfo, error)
	Give(to string)
	Deny(to string)
}

// Config says what is driven.
type Config struct {
	Remote Remote
	In     io.Reader // a terminal in raw mode
	Out    io.Writer // the same terminal
	Part   float64   // how far keys go, of an axis' range: 0 … 1

	Applied *Applied // where the axes are; default: it is not shown
}

// How often the line is drawn at least, and keys are looked at while one is held.
const (
	drawEvery = 250 * time.Millisecond
	lookEvery = 10 * time.Millisecond
)

// releaseTime is how long the device may take to hear that the lease is given back.
const releaseTime = time.Second

// stopTime is how long a stop is said when somebody quits behind it.
const stopTime = 5 * time.Second

var (
	errEnd       = errors.New("the terminal is gone")
	errUnstopped = errors.New("the device has not answered the stop: nobody knows whether it has stopped")
)

// driver is Run under way.
type driver struct {
	Config
	hand  hand
	drawn time.Time
	tasks chan func() // what waits for a device's answer, one at a time
}

// Run drives until somebody quits (nil), ctx ends (nil) or the terminal is gone. It takes the lease, or waits for it, and gives it
// back.
func Run(ctx context.Context, cfg Config) error {
	d := &driver{Config: cfg, tasks: make(chan func(), 4)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); d.work(ctx) }()
	d.later(func() { _, _ = d.Remote.Take(ctx) }) // the line shows who has it
	err := d.loop(ctx, d.read(ctx))
	cancel()
	<-done
	fmt.Fprint(d.Out, "\r\n")
	if d.Remote.Status().Stop.Sending == rpc.Stop { // it was pressed a moment ago
		err = errors.Join(err, d.waitForStop(ctx))
	}
	if d.Remote.Status().Lease.Mine {
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
		defer cancel()
		_, _ = d.Remote.Release(soon) // it ends by itself where that is lost
	}
	return err
}

// waitForStop gives a stop that is not answered yet the time to be.
func (d *driver) waitForStop(ctx context.Context) error {
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if _, err := d.Remote.Stop(soon); err != nil {
		return errUnstopped
	}
	return nil
}

// read hands on what is typed. Its goroutine ends with the terminal, which nothing can make it leave earlier.
func (d *driver) read(ctx context.Context) <-chan []byte {
	typed := make(chan []byte)
	go func() {
		defer close(typed)
		buf := make([]byte, 64)
		for {
			n, err := d.In.Read(buf)
			if err != nil {
				return
			}
			select {
			case typed <- append([]byte(nil), buf[:n]...):
			case <-ctx.Done():
				return
			}
		}
	}()
	return typed
}

func (d *driver) work(ctx context.Context) {
	for {
		select {
		case task := <-d.tasks:
			task()
		case <-ctx.Done():
			return
		}
	}
}

// later has something done that waits. What finds no room is pressed again.
func (d *driver) later(task func()) {
	select {
	case d.tasks <- task:
	default:
	}
}

func (d *driver) loop(ctx context.Context, typed <-chan []byte) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case sent, open := <-typed:
			if !open {
				return errEnd
			}
			for _, k := range keys(sent) {
				if k == quit {
					return nil
				}
				d.press(ctx, k)
			}
			d.say()
		case <-timer.C:
			d.say()
		}
		timer.Reset(d.draw())
	}
}

func (d *driver) press(ctx context.Context, k key) {
	switch k {
	case forward, back, left, right:
		d.hand.press(time.Now(), k)
	case stop:
		d.hand.drop()
		go func() { _, _ = d.Remote.Stop(ctx) }() // waits for nothing that is asked for
	case ask:
		d.later(func() { d.askForLease(ctx) })
	case give, deny:
		d.answer(k)
	}
}

// askForLease takes it where nobody has it.
func (d *driver) askForLease(ctx context.Context) {
	if d.Remote.Status().Lease.Holder == nil {
		_, _ = d.Remote.Take(ctx)
	} else {
		_, _ = d.Remote.Request(ctx)
	}
}

// answer is for the first of those who ask for the lease.
func (d *driver) answer(k key) {
	asks := d.Remote.Status().Lease.Asks
	switch {
	case len(asks) == 0:
	case k == give:
		d.Remote.Give(asks[0].ID)
	default:
		d.Remote.Deny(asks[0].ID)
	}
}

// say tells the device of the hand, if there is something to tell.
func (d *driver) say() {
	now := time.Now()
	if m := d.Remote.Status().Machine; d.hand.look(now) && m != nil {
		d.Remote.Hand(d.hand.counter, d.hand.targets(now, m.Axes, d.Part))
	}
}

// draw shows how it stands, and returns when to look again.
func (d *driver) draw() time.Duration {
	now := time.Now()
	if now.Sub(d.drawn) >= drawEvery {
		d.drawn = now
		fmt.Fprintf(d.Out, "\r%s\x1b[K", line(d.Remote.Status(), d.Applied))
	}
	if d.hand.held {
		return lookEvery
	}
	return drawEvery
}
