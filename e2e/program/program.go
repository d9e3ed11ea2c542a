// Package program starts a program, reads what it says line by line, talks to its standard input, and ends it, gently or not.
// What it said is kept, so that a failed test can show it.
package program

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Spec says what to start.
type Spec struct {
	Name   string     // in messages; default: the program's path
	Args   []string   // the command line, program first
	Env    []string   // on top of this process's environment, NAME=VALUE
	OnLine func(Line) // called for every line of standard output, one at a time; it must be quick
	// OnOutput is called with standard output as it comes, in place of OnLine, and nothing of it is kept: for programs that say
	// more than can be looked at meanwhile. It must be quick, and copy what it wants.
	OnOutput func(at time.Time, output []byte)
	Stdin    bool // Write is wanted; otherwise standard input is empty
	Tidies   bool // it has something to take away itself: so it is told to end when this process is, not killed
}

// Line is one line of output.
type Line struct {
	At   time.Time
	Err  bool // of standard error
	Text string
}

const (
	maxLine = 1 << 20 // bytes; a longer line ends the reading, no program here says one
	maxKept = 50_000  // lines kept in memory; older ones are forgotten
)

// Program is a started program.
type Program struct {
	name   string
	cmd    *exec.Cmd
	tidies bool
	stdin  io.WriteCloser
	onLine func(Line)
	ended  chan struct{} // closed when the program is gone and its output is read

	mu      sync.Mutex
	lines   []Line        // guarded by mu
	forgot  int           // lines no longer kept; guarded by mu
	changed chan struct{} // closed and replaced at each line; guarded by mu
}

// Start starts it. The program leads a process group of its own: Kill and Stop reach its children too. It ends with this process, if
// that is told to end.
func Start(spec Spec) (*Program, error) {
	p := &Program{name: spec.Name, tidies: spec.Tidies, onLine: spec.OnLine, ended: make(chan struct{}), changed: make(chan struct{})}
	if p.name == "" {
		p.name = spec.Args[0]
	}
	p.cmd = exec.Command(spec.Args[0], spec.Args[1:]...)
	p.cmd.Env = append(os.Environ(), spec.Env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	errOut, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if spec.Stdin {
		if p.stdin, err = p.cmd.StdinPipe(); err != nil {
			return nil, err
		}
	}
	forget, err := tidy.Make(p.cmd.Start, p.tell, p.tidyUp)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	var readers sync.WaitGroup
	readers.Go(func() {
		if spec.OnOutput != nil {
			handOn(out, spec.OnOutput)
		} else {
			p.read(out, false)
		}
	})
	readers.Go(func() { p.read(errOut, true) })
	go func() {
		readers.Wait()
		_ = p.cmd.Wait() // its verdict is asked for by Stop
		forget()
		close(p.ended)
	}()
	return p, nil
}

func (p *Program) read(r io.Reader, isErr bool) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := Line{At: time.Now(), Err: isErr, Text: lines.Text()}
		if p.onLine != nil && !isErr {
			p.onLine(line)
		}
		p.keep(line)
	}
	_, _ = io.Copy(io.Discard, r)
}

func handOn(r io.Reader, to func(at time.Time, output []byte)) {
	buf := make([]byte, 64<<10) // what a pipe holds
	for {
		n, err := r.Read(buf)
		if n > 0 {
			to(time.Now(), buf[:n])
		}
		if err != nil {
			return
		}
	}
}

func (p *Program) keep(line Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
	if over := len(p.lines) - maxKept; over > 0 {
		p.lines, p.forgot = p.lines[over:], p.forgot+over
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// Name is that of the Spec.
func (p *Program) Name() string { return p.name }

// PID is the process id.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Write sends one line to standard input.
func (p *Program) Write(line string) error {
	_, err := io.WriteString(p.stdin, line+"\n")
	return err
}

// CloseStdin ends its standard input.
func (p *Program) CloseStdin() error { return p.stdin.Close() }

// WaitFor waits for a line, also one said before, and returns its submatches.
func (p *Program) WaitFor(re *regexp.Regexp, timeout time.Duration) ([]string, error) {
	timeout = slack.Of(timeout)
	deadline := time.After(timeout)
	for next := 0; ; {
		fresh, changed := p.since(&next)
		for _, line := range fresh {
			if found := re.FindStringSubmatch(line.Text); found != nil {
				return found, nil
			}
		}
		select {
		case <-changed:
		case <-p.ended:
			if fresh, _ := p.since(&next); len(fresh) == 0 {
				return nil, fmt.Errorf("%s ended without a line like %q; it said:\n%s", p.name, re, p.Tail(30))
			}
			next = 0
		case <-deadline:
			return nil, fmt.Errorf("%s said no line like %q within %v; it said:\n%s", p.name, re, timeout, p.Tail(30))
		}
	}
}

func (p *Program) since(next *int) ([]Line, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := max(*next-p.forgot, 0)
	*next = p.forgot + len(p.lines)
	return p.lines[from:], p.changed
}

// Tail returns the last n lines, standard error marked with "!".
func (p *Program) Tail(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var text strings.Builder
	for _, line := range p.lines[max(0, len(p.lines)-n):] {
		mark := "  "
		if line.Err {
			mark = "! "
		}
		fmt.Fprintf(&text, "    %s%s%s\n", line.At.Format("05.000 "), mark, line.Text)
	}
	return text.String()
}

// Output returns all of standard output that is kept.
func (p *Program) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var text strings.Builder
	for _, line := range p.lines {
		if !line.Err {
			text.WriteString(line.Text + "\n")
		}
	}
	return text.String()
}

// Ended is closed when the program is gone.
func (p *Program) Ended() <-chan struct{} { return p.ended }

// Kill ends the program and its children without a warning, and waits until they are gone.
func (p *Program) Kill() {
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	<-p.ended
}

// tidyTime is how long a program may take to take away what it has.
const tidyTime = 10 * time.Second

func (p *Program) tell() {
	how := syscall.SIGKILL
	if p.tidies {
		how = syscall.SIGTERM
	}
	_ = syscall.Kill(-p.PID(), how) // it may be gone
}

func (p *Program) tidyUp() {
	_, _ = p.Wait(tidyTime) // or it is killed
	p.Kill()
}

// Stop asks the program to end (SIGTERM), kills it after the timeout, and returns its exit code.
func (p *Program) Stop(timeout time.Duration) (int, error) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	code, err := p.Wait(timeout)
	if err != nil {
		p.Kill()
	}
	return code, err
}

// Wait waits until the program has ended by itself and returns its exit code.
func (p *Program) Wait(timeout time.Duration) (int, error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(timeout):
		return -1, errors.New(p.name + " did not end within " + timeout.String())
	}
}
