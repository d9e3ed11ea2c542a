package urgent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Command is a program that makes something safe.
type Command struct {
	Argv []string `json:"argv"` // the program and its arguments; empty: there is none
	// Standby says that it is started ahead: it acts when it has read a line from its standard input, or the end of that, and
	// then ends. Who started it may be gone by then.
	Standby bool `json:"standby,omitempty"`
}

// Program runs a Command whenever it is told to. A nil *Program does nothing.
type Program struct {
	command Command
	early   func(error) // is told of one that ended before it was told to act

	starts sync.WaitGroup
	mu     sync.Mutex
	ready  *started // guarded by mu, like all below: it stands by; nil: none does
	over   bool
}

// started is one run of it.
type started struct {
	cmd   *exec.Cmd
	in    io.WriteCloser // nil: it does not wait for anything
	said  lastWords
	ended chan struct{}
	err   error // set once it has ended
}

// NewProgram starts nothing. Early is told of a program that stood by and ended by itself: until it has been told to act the next
// time, which starts it, none stands by.
func NewProgram(c Command, early func(error)) *Program { return &Program{command: c, early: early} }

// Stand has it stand by, if it is one that does.
func (p *Program) Stand() {
	if p == nil || !p.command.Standby {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.ready != nil {
		return
	}
	s, err := p.start()
	if err != nil {
		p.early(err)
		return
	}
	p.ready = s
	p.starts.Go(func() { p.watch(s) })
}

// watch waits until it ends.
func (p *Program) watch(s *started) {
	<-s.ended
	p.mu.Lock()
	asked := p.ready != s || p.over
	if p.ready == s {
		p.ready = nil
	}
	p.mu.Unlock()
	if asked {
		return
	}
	reason := s.err
	if reason == nil {
		reason = errors.New("it did not wait")
	}
	p.early(fmt.Errorf("%s was to stand by, and has ended: %w", p.command.Argv[0], reason))
}

// Act has it act, and returns when it has ended, or been killed since ctx has; then it stands by again. Of one that fails, the last
// line on its standard error is the reason.
func (p *Program) Act(ctx context.Context) error {
	if p == nil {
		return nil
	}
	s, err := p.take()
	if err != nil {
		return err
	}
	if s.in != nil {
		_, _ = s.in.Write([]byte{'\n'}) // the end says the same
		_ = s.in.Close()
	}
	select {
	case <-s.ended:
		err = s.err
	case <-ctx.Done():
		kill(s.cmd.Process)
		err = ctx.Err()
	}
	p.starts.Go(p.Stand)
	return err
}

// take is the one that stands by, or else one that is started now.
func (p *Program) take() (*started, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.ready
	p.ready = nil
	if s != nil {
		select {
		case <-s.ended:
		default:
			return s, nil
		}
	}
	return p.start()
}

// Close ends the one that stands by, without having it act.
func (p *Program) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.over = true
	if p.ready != nil {
		kill(p.ready.cmd.Process)
		_ = p.ready.in.Close()
	}
	p.mu.Unlock()
	p.starts.Wait()
}

// lingers is how long what it has started may keep its standard error.
const lingers = 500 * time.Millisecond

func (p *Program) start() (*started, error) {
	s := &started{cmd: exec.Command(p.command.Argv[0], p.command.Argv[1:]...), ended: make(chan struct{})}
	s.cmd.Stderr, s.cmd.WaitDelay = &s.said, lingers
	OwnSession(s.cmd)
	if p.command.Standby {
		in, err := s.cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		s.in = in
	}
	if err := Start(s.cmd); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		err := s.cmd.Wait()
		if err != nil && !errors.Is(err, exec.ErrWaitDelay) { // it has ended well, and left something behind
			s.err = s.said.reason(fmt.Errorf("%s: %w", p.command.Argv[0], err))
		}
	}()
	return s, nil
}

// maxWords bounds a reason, in bytes.
const maxWords = 256

// lastWords keeps the beginning of the last line that was written.
type lastWords struct {
	line []byte
	over bool // the line is complete
}

// Write implements io.Writer. It takes everything, so that no program waits.
func (w *lastWords) Write(b []byte) (int, error) {
	for _, c := range b {
		if w.over {
			w.line = w.line[:0]
		}
		w.over = c == '\n'
		if len(w.line) < maxWords {
			w.line = append(w.line, c)
		}
	}
	return len(b), nil
}

// reason is that line, or else an error that is known anyhow.
func (w *lastWords) reason(otherwise error) error {
	if line := strings.TrimSpace(strings.ToValidUTF8(string(w.line), "")); line != "" {
		return errors.New(line)
	}
	return otherwise
}
