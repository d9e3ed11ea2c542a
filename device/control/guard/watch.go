package guard

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/urgent"
)

// How long a command is tried that fails, with what pauses at most, and how long each may take.
const (
	trying    = time.Minute // another agent has come by then, or nobody can help
	lastPause = time.Second
	patience  = 2 * time.Second
	// again is when it is made safe once more: what the agent had begun when it was stopped or killed, such as a program that
	// sets an axis or one that is told to end (which has 300 ms), may have come behind the first time.
	again = 400 * time.Millisecond
)

// Watch is the guard process: it reads what it is fed until that ends, and runs the commands when it stops.
func Watch(in io.Reader, out, log io.Writer) error {
	steadfast()
	words := speak(log)
	defer words.end() // last of all
	r := bufio.NewReaderSize(in, maxOrders)
	line, err := r.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("guard: it is started by the agent, and fed by it: %w", err)
	}
	var o orders
	if err := json.Unmarshal(line, &o); err != nil {
		return fmt.Errorf("guard: orders: %w", err)
	}
	w := watch{after: time.Duration(o.AfterMS) * time.Millisecond, say: words.say}
	for _, c := range o.Commands {
		if len(c.Argv) == 0 {
			return errors.New("guard: orders: a command has no program")
		}
		w.programs = append(w.programs, urgent.NewProgram(c, func(err error) { words.say("guard: %v", err) }))
	}
	for _, p := range w.programs {
		p.Stand()
		defer p.Close()
	}
	fed := make(chan byte)
	go func() {
		defer close(fed)
		for {
			b, err := r.ReadByte()
			if err != nil {
				return
			}
			fed <- b
		}
	}()
	return w.run(fed, out)
}

// watch is what it does with its orders.
type watch struct {
	after    time.Duration
	programs []*urgent.Program
	say      func(format string, args ...any) // which waits for nobody
}

func (w watch) run(fed <-chan byte, out io.Writer) error {
	timer := time.NewTimer(w.after)
	timer.Stop()
	heard, more := time.Now(), 0 // how often it is made safe once more
	for {
		select {
		case <-timer.C:
			_ = w.makeSafe(heard) // it has said why; the agent may be back
			if more > 0 {
				more--
				timer.Reset(again)
			}
		case b, there := <-fed:
			switch {
			case !there:
				return w.makeSafeTwice(heard)
			case b == leave:
				return nil
			case b == beat:
				heard, more = time.Now(), 1
				timer.Reset(w.after)
			case b == safe:
				timer.Stop()
			}
			_, _ = out.Write([]byte{b}) // who does not read it is about to be known for gone
		}
	}
}

// makeSafeTwice is for an agent that is gone, for the same reason as again.
func (w watch) makeSafeTwice(heard time.Time) error {
	if err := w.makeSafe(heard); err != nil {
		return err // it was tried for long enough
	}
	time.Sleep(again)
	return w.makeSafe(heard)
}

// makeSafe has all programs act at once; each has its time.
func (w watch) makeSafe(heard time.Time) error {
	began := time.Now()
	errs := make([]error, len(w.programs))
	var tasks sync.WaitGroup
	for i, p := range w.programs {
		tasks.Go(func() { errs[i] = persist(p) })
	}
	tasks.Wait()
	err := errors.Join(errs...)
	if err != nil {
		w.say("guard: %v", err)
		return err
	}
	w.say("guard: made safe without the agent, %d ms after its last beat; it took %d ms",
		began.Sub(heard).Milliseconds(), time.Since(began).Milliseconds())
	return nil
}

func persist(p *urgent.Program) (err error) {
	began, pause := time.Now(), between
	for {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err = p.Act(ctx)
		cancel()
		if err == nil || time.Since(began) >= trying {
			return err
		}
		time.Sleep(pause)
		pause = min(2*pause, lastPause)
	}
}
