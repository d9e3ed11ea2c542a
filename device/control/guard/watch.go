package guard

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// How often a command is tried that fails, and how long each may take.
const (
	tries    = 5
	patience = 2 * time.Second
	// again is when it is made safe once more: what the agent had begun when it was stopped, such as a program that sets an
	// axis, may have come behind the first time.
	again = 200 * time.Millisecond
)

// Watch is the guard process: it reads what it is fed until that ends, and runs the commands when it stops.
func Watch(in io.Reader, out, log io.Writer) error {
	steadfast()
	r := bufio.NewReaderSize(in, maxOrders)
	line, err := r.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("guard: it is started by the agent, and fed by it: %w", err)
	}
	var o orders
	if err := json.Unmarshal(line, &o); err != nil {
		return fmt.Errorf("guard: orders: %w", err)
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
	return o.watch(fed, out, log)
}

func (o orders) watch(fed <-chan byte, out, log io.Writer) error {
	after := time.Duration(o.AfterMS) * time.Millisecond
	timer := time.NewTimer(after)
	timer.Stop()
	heard, more := time.Now(), 0 // how often it is made safe once more
	for {
		select {
		case <-timer.C:
			_ = o.makeSafe(heard, log) // it has said why; the agent may be back
			if more > 0 {
				more--
				timer.Reset(again)
			}
		case b, there := <-fed:
			switch {
			case !there:
				return o.makeSafe(heard, log)
			case b == leave:
				return nil
			case b == beat:
				heard, more = time.Now(), 1
				timer.Reset(after)
			case b == safe:
				timer.Stop()
			}
			_, _ = out.Write([]byte{b}) // who does not read it is about to be known for gone
		}
	}
}

// makeSafe runs all commands at once. They are urgent as the guard itself is, which was started so, and each has its time.
// It tells of it only then: nobody may read what it says.
func (o orders) makeSafe(heard time.Time, log io.Writer) error {
	began := time.Now()
	errs := make([]error, len(o.Commands))
	var tasks sync.WaitGroup
	for i, argv := range o.Commands {
		tasks.Go(func() { errs[i] = persist(argv) })
	}
	tasks.Wait()
	err := errors.Join(errs...)
	if err != nil {
		fmt.Fprintln(log, "guard:", err)
		return err
	}
	fmt.Fprintf(log, "guard: made safe without the agent, %d ms after its last beat; it took %d ms\n",
		began.Sub(heard).Milliseconds(), time.Since(began).Milliseconds())
	return nil
}

func persist(argv []string) (err error) {
	for range tries {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err = exec.CommandContext(ctx, argv[0], argv[1:]...).Run()
		cancel()
		if err == nil {
			return nil
		}
		time.Sleep(between)
	}
	return fmt.Errorf("%s: %w", argv[0], err)
}
