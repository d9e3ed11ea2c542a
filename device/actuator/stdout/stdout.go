// Package stdout is the actuator that leaves everything to the program behind a
// pipe: it writes a JSON object a line, and reads answers, if there are any.
//
//	{"set": {"speed": 0.5}}                        set these axes, by their names
//	{"safe": true}                                 bring everything to where it is safe
//	{"call": "light", "id": 7, "params": {"on": true}}
//	{"cancel": 7}                                  end that call, if it still runs
//
// What is read is {"progress": 0.4, "id": 7}, {"done": RESULT, "id": 7} or
// {"failed": "no lamp", "id": 7}. One that was cancelled is answered, too: until
// then it runs, and none begins after it. Where nothing is read a call is done
// when it is written.
//
// The program must make everything safe itself when its input ends, and when it
// could not read for a while: then the agent is gone, or what is in the pipe is
// old. An agent that is stopped leaves the pipe open and says nothing: only a
// program beside (Config.Guard) can make safe then what it moves.
package stdout

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer/rpc"
)

const (
	// patience is how long the program may leave lines unread before that is a failure.
	patience = 100 * time.Millisecond
	// maxLine bounds a line that is read, in bytes: a longer one is left out.
	maxLine = 64 << 10
)

var (
	errUnread = errors.New("the program behind standard output does not read")
	errGone   = errors.New("the program behind standard input has ended")
)

// Config says what is offered, and where it goes.
type Config struct {
	Axes    []rpc.Axis
	Methods []rpc.Method
	Guard   urgent.Command // makes everything safe when the agent cannot; default: nothing does
	Out     io.Writer      // lines to the program
	In      io.Reader      // lines from it; default: it does not answer
	Log     *slog.Logger   // default: nothing is logged
}

// Stdout writes lines. It implements actuator.Actuator.
type Stdout struct {
	cfg   Config // set once
	names map[uint64]string

	mu      sync.Mutex
	set     map[string]float64    // guarded by mu, like all below: waits to be written
	safe    bool                  // so does this, in front of all
	lines   []any                 // and these
	writing bool                  // a goroutine does
	written chan struct{}         // closed when nothing waits
	failure error                 // of a write
	reading bool                  // a goroutine does, or did
	gone    bool                  // there are no more answers
	calls   map[uint64]chan reply // that wait for an answer
	last    uint64                // id of a call
}

var (
	_ actuator.Actuator = (*Stdout)(nil)
	_ actuator.Guarded  = (*Stdout)(nil)
)

// reply is a line from the program.
type reply struct {
	ID       uint64          `json:"id"`
	Progress float64         `json:"progress"`
	Done     json.RawMessage `json:"done"`
	Failed   string          `json:"failed"`
}

// New writes nothing.
func New(cfg Config) *Stdout {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Stdout{cfg: cfg, names: map[uint64]string{}, calls: map[uint64]chan reply{}}
	for _, x := range cfg.Axes {
		s.names[x.ID] = x.Name
	}
	return s
}

// Axes implements actuator.Actuator.
func (s *Stdout) Axes() []rpc.Axis { return s.cfg.Axes }

// Methods implements actuator.Actuator.
func (s *Stdout) Methods() []rpc.Method { return s.cfg.Methods }

// SafeCommand implements actuator.Guarded.
func (s *Stdout) SafeCommand() urgent.Command { return s.cfg.Guard }

// Apply implements actuator.Actuator. Newer values take the place of those that the program has not read.
func (s *Stdout) Apply(values map[uint64]float64) (map[uint64]float64, error) {
	named := make(map[string]float64, len(values))
	for id, v := range values {
		named[s.names[id]] = v
	}
	return values, s.write(func() {
		if s.set == nil {
			s.set = named
			return
		}
		for name, v := range named {
			s.set[name] = v
		}
	})
}

// Safe implements actuator.Actuator. Values that were not read yet never will be.
func (s *Stdout) Safe() error { return s.write(func() { s.safe, s.set = true, nil }) }

// write has what change adds written, and waits for that, but not for long.
func (s *Stdout) write(change func()) error {
	s.mu.Lock()
	change()
	s.readLocked()
	if !s.writing {
		s.writing, s.written = true, make(chan struct{})
		go s.flush(s.written)
	}
	written := s.written
	s.mu.Unlock()
	select {
	case <-written:
	case <-time.After(patience):
		return errUnread
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// flush writes until nothing waits.
func (s *Stdout) flush(written chan struct{}) {
	defer close(written)
	for {
		s.mu.Lock()
		next := s.nextLocked()
		s.writing = next != nil
		s.mu.Unlock()
		if next == nil {
			return
		}
		line, err := json.Marshal(next)
		if err == nil {
			_, err = s.cfg.Out.Write(append(line, '\n'))
		}
		s.mu.Lock()
		s.failure = err
		s.mu.Unlock()
	}
}

// nextLocked is what is to be written first; nil: nothing.
func (s *Stdout) nextLocked() (line any) {
	switch {
	case s.safe:
		s.safe = false
		return map[string]bool{"safe": true}
	case s.set != nil:
		line, s.set = map[string]any{"set": s.set}, nil
		return line
	case len(s.lines) > 0:
		line = s.lines[0]
		s.lines = s.lines[1:]
		return line
	}
	return nil
}

// order is a call as it is written.
type order struct {
	Call   string          `json:"call"`
	ID     uint64          `json:"id"`
	Params json.RawMessage `json:"params,omitempty"`
}

// Call implements actuator.Actuator.
func (s *Stdout) Call(ctx context.Context, method string, params json.RawMessage, progress func(float64)) (json.RawMessage, error) {
	if s.isGone() {
		return nil, errGone
	}
	answers := make(chan reply, 16)
	var id uint64
	err := s.write(func() {
		s.last++
		id = s.last
		s.lines = append(s.lines, order{method, id, params})
		switch {
		case s.gone:
			close(answers)
		case s.cfg.In != nil:
			s.calls[id] = answers
		}
	})
	defer s.forget(id)
	if errors.Is(err, errUnread) {
		s.take(id)
	}
	if err != nil || s.cfg.In == nil {
		return nil, err
	}
	return s.await(ctx, id, answers, progress)
}

// await returns when the program says that a call has ended, also if that was called off: until then it may set something.
func (s *Stdout) await(ctx context.Context, id uint64, answers chan reply, progress func(float64)) (json.RawMessage, error) {
	for cancelled := ctx.Done(); ; {
		select {
		case <-cancelled:
			cancelled = nil
			// One that is left unread stays in the queue: the call goes on until somebody has read it, and longer.
			if err := s.write(func() { s.lines = append(s.lines, map[string]uint64{"cancel": id}) }); err != nil && !errors.Is(err, errUnread) {
				return nil, errors.Join(ctx.Err(), err)
			}
		case r, there := <-answers:
			end := r.Done != nil || r.Failed != ""
			switch {
			case !there:
				return nil, errGone
			case end && ctx.Err() != nil:
				return nil, ctx.Err()
			case r.Failed != "":
				return nil, errors.New(r.Failed)
			case end:
				return r.Done, nil
			}
			progress(r.Progress)
		}
	}
}

// take takes a call back that was not written yet: it is not to run when somebody reads on.
func (s *Stdout) take(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = slices.DeleteFunc(s.lines, func(line any) bool {
		o, call := line.(order)
		return call && o.ID == id
	})
}

func (s *Stdout) forget(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, id)
}

func (s *Stdout) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// readLocked begins to read answers, with the first line that is written: one who writes what nobody reads hangs at last, and
// reads no more either.
func (s *Stdout) readLocked() {
	if s.cfg.In == nil || s.reading {
		return
	}
	s.reading = true
	go s.read()
}

// read reads answers until there are no more. A line that is too long is left out, and said once.
func (s *Stdout) read() {
	lines := bufio.NewReaderSize(s.cfg.In, maxLine)
	var long, said bool
	for {
		line, err := lines.ReadSlice('\n')
		whole := !errors.Is(err, bufio.ErrBufferFull)
		if whole && !long {
			s.answer(line)
		}
		if long = !whole; long && !said {
			said = true
			s.cfg.Log.Warn("the program behind standard input wrote a line that is too long: such lines are left out", "bytes", maxLine)
		}
		if whole && err != nil {
			s.end()
			return
		}
	}
}

// end is for calls that nobody will answer any more.
func (s *Stdout) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	for id, answers := range s.calls {
		close(answers)
		delete(s.calls, id)
	}
}

// answer hands a line to its call. One that nobody waits for, or that is none, is left out.
func (s *Stdout) answer(line []byte) {
	var r reply
	if json.Unmarshal(line, &r) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answers := s.calls[r.ID]
	if answers == nil {
		return
	}
	end := r.Done != nil || r.Failed != ""
	if end {
		delete(s.calls, r.ID) // nothing comes behind it
	}
	if end || len(answers) < cap(answers)-1 { // progress may come faster than it is told
		answers <- r
	}
}
