package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/urgent"
)

// Config says what guards what.
type Config struct {
	Argv     []string         // the program that calls Watch, with its arguments
	Deadman  time.Duration    // without a beat for that long things are made safe, and a little later by the guard
	Commands []urgent.Command // that make safe
	Log      *slog.Logger     // default: nothing is logged

	lingers time.Duration // of tests: how long its end is waited for; default 2*patience
}

// Guard feeds a guard process. It implements control.Guard.
type Guard struct {
	cfg    Config        // set once
	kicked chan struct{} // there is something to feed

	mu       sync.Mutex
	moving   bool // guarded by mu, like all below: what was told last
	beaten   bool // a beat is to be fed
	safe     bool // so is this
	watching bool // the process has seen a beat, and nothing is wrong with it
	lost     func()
}

// New starts nothing.
func New(cfg Config) *Guard {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.lingers == 0 {
		cfg.lingers = 2 * patience
	}
	return &Guard{cfg: cfg, kicked: make(chan struct{}, 1), lost: func() {}}
}

// Beat implements control.Guard.
func (g *Guard) Beat() { g.tell(true) }

// Safe implements control.Guard.
func (g *Guard) Safe() { g.tell(false) }

func (g *Guard) tell(moving bool) {
	g.mu.Lock()
	g.moving, g.beaten, g.safe = moving, moving, !moving
	if !moving {
		g.watching = false
	}
	g.mu.Unlock()
	select {
	case g.kicked <- struct{}{}:
	default:
	}
}

// Watching implements control.Guard.
func (g *Guard) Watching() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.watching
}

// Lost implements control.Guard.
func (g *Guard) Lost(tell func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost = tell
}

// restart is how long to wait before another process is started.
const restart = time.Second

// Run keeps a guard process until ctx ends, when all is safe. If it is not, the process has to make it safe, which it goes on to
// do when Run no longer waits for it.
func (g *Guard) Run(ctx context.Context) error {
	for {
		err := g.live(ctx)
		if ctx.Err() != nil {
			return nil
		}
		g.cfg.Log.Error("the guard process is not watching: nothing moves until it does", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restart):
		}
	}
}

// lose says that nobody watches.
func (g *Guard) lose() {
	g.mu.Lock()
	g.watching = false
	lost := g.lost
	g.mu.Unlock()
	lost()
}

// live is one process, from its start to its end.
func (g *Guard) live(ctx context.Context) error {
	in, feed, err := os.Pipe()
	if err != nil {
		return err
	}
	echo, out, err := os.Pipe()
	if err != nil {
		return errors.Join(err, in.Close(), feed.Close())
	}
	cmd := exec.Command(g.cfg.Argv[0], g.cfg.Argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, os.Stderr
	urgent.OwnSession(cmd)
	err = urgent.Start(cmd)
	err = errors.Join(err, in.Close(), out.Close())
	if err == nil {
		err = g.serve(ctx, feed, echo)
	}
	if ctx.Err() == nil {
		g.lose()
	}
	err = errors.Join(err, feed.Close()) // without a word of leave it makes safe, and ends
	if cmd.Process != nil {
		err = errors.Join(err, g.await(cmd, ctx.Err() != nil && g.unsafe()))
	}
	return errors.Join(err, echo.Close())
}

// await waits for the end of a process, but not for long. One that is the last that can make safe what is not is left alone then: it
// is in a session of its own, and tries on without us.
func (g *Guard) await(cmd *exec.Cmd, last bool) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(g.cfg.lingers):
	}
	if last {
		g.cfg.Log.Error("all is not safe yet: the guard process goes on to make it safe", "pid", cmd.Process.Pid)
		return nil
	}
	_ = cmd.Process.Kill() // it has ended, then
	return <-ended
}

// unsafe says whether the guard was not told that all is safe.
func (g *Guard) unsafe() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.moving
}

// serve feeds a process until ctx ends, or it does not answer.
func (g *Guard) serve(ctx context.Context, feed, echo *os.File) error {
	orders, err := json.Marshal(orders{uint64((g.cfg.Deadman + margin).Milliseconds()), g.cfg.Commands})
	if err != nil {
		return err
	}
	if err := write(feed, append(orders, '\n')); err != nil {
		return err
	}
	l := listener{echo: echo, heard: make(chan byte), over: make(chan struct{})}
	var reader sync.WaitGroup
	reader.Go(l.run)
	defer reader.Wait()
	defer l.end()
	unanswered, kicked, silence := 0, g.kicked, starting
	var answer, pause <-chan time.Time // nil: none is due
	for {
		select {
		case <-ctx.Done():
			return g.leave(feed)
		case <-pause:
			kicked, pause = g.kicked, nil
		case <-kicked:
			b := g.next()
			if b == 0 {
				continue
			}
			if err := write(feed, []byte{b}); err != nil {
				return err
			}
			kicked, pause = nil, time.After(between)
			if unanswered++; answer == nil {
				answer = time.After(silence)
			}
		case b, there := <-l.heard:
			if !there {
				return errors.New("it has ended")
			}
			answer, silence = nil, deaf
			if unanswered--; unanswered == 0 {
				g.answered(b)
			} else {
				answer = time.After(deaf)
			}
		case <-answer:
			return fmt.Errorf("it has not answered for %v", silence)
		}
	}
}

// leave says that the guard may go, if all is safe.
func (g *Guard) leave(feed *os.File) error {
	if g.unsafe() {
		return nil
	}
	return write(feed, []byte{leave})
}

// next is what is to be fed: the newest only.
func (g *Guard) next() byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	beaten, isSafe := g.beaten, g.safe
	g.beaten, g.safe = false, false
	switch {
	case beaten:
		return beat
	case isSafe:
		return safe
	}
	return 0
}

func (g *Guard) answered(b byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.watching = b == beat && g.moving
}

// write never waits for long: a process that is stopped reads nothing.
func write(feed *os.File, b []byte) error {
	if err := feed.SetWriteDeadline(time.Now().Add(deaf)); err != nil {
		return err
	}
	_, err := feed.Write(b)
	return err
}

// listener reads what the guard answers.
type listener struct {
	echo  *os.File
	heard chan byte
	over  chan struct{}
}

func (l listener) run() {
	defer close(l.heard)
	b := make([]byte, 1)
	for {
		if _, err := l.echo.Read(b); err != nil {
			return
		}
		select {
		case l.heard <- b[0]:
		case <-l.over:
			return
		}
	}
}

func (l listener) end() {
	close(l.over)
	_ = l.echo.SetReadDeadline(time.Now()) // it is closed soon, in any case
}
