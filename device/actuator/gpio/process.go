package gpio

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/urgent"
)

// order is a line to the pin process.
type order struct {
	ID     uint64             `json:"id,omitempty"`
	Set    map[string]float64 `json:"set,omitempty"`
	Safe   bool               `json:"safe,omitempty"`
	Call   string             `json:"call,omitempty"`
	On     bool               `json:"on,omitempty"`
	Cancel uint64             `json:"cancel,omitempty"`
}

// answer is a line from it.
type answer struct {
	ID      uint64             `json:"id,omitempty"`
	Applied map[string]float64 `json:"applied,omitempty"`
	Failed  string             `json:"failed,omitempty"`
	Place   []string           `json:"place,omitempty"` // of an Error
}

// maxLine bounds a line, in bytes.
const maxLine = 64 << 10

// process is a pin process that is fed.
type process struct {
	cmd   *exec.Cmd // set once, like all up to mu
	feed  *os.File
	lines *bufio.Scanner
	said  *os.File
	ended chan struct{} // closed when it is gone

	mu    sync.Mutex
	last  uint64                 // guarded by mu, like all below: id of an order
	asked map[uint64]chan answer // that wait
	deaf  error                  // why it was killed
	exit  error
}

// startProcess returns when it holds the pins, all of them safe, or says why it does not.
func startProcess(argv []string) (*process, error) {
	in, feed, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	said, out, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, in.Close(), feed.Close())
	}
	p := &process{
		cmd: exec.Command(argv[0], argv[1:]...), feed: feed, said: said, lines: bufio.NewScanner(said),
		ended: make(chan struct{}), asked: map[uint64]chan answer{},
	}
	p.lines.Buffer(nil, maxLine)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = in, out, os.Stderr
	urgent.OwnSession(p.cmd)
	err = urgent.Start(p.cmd)
	err = errors.Join(err, in.Close(), out.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the pin process cannot be started: %w", err), feed.Close(), said.Close())
	}
	first, err := p.hello()
	go p.listen()
	if err == nil && first.Failed == "" {
		return p, nil
	}
	p.end()
	switch {
	case err != nil:
		return nil, err
	case first.Place != nil:
		return nil, &Error{first.Place, errors.New(first.Failed)}
	}
	return nil, errors.New(first.Failed)
}

// hello is the first answer.
func (p *process) hello() (a answer, err error) {
	if err := p.said.SetReadDeadline(time.Now().Add(starting)); err != nil {
		return a, err
	}
	switch {
	case p.lines.Scan():
		err = json.Unmarshal(p.lines.Bytes(), &a)
	case errors.Is(p.lines.Err(), os.ErrDeadlineExceeded):
		err = fmt.Errorf("it has not answered for %v", starting)
	default:
		err = errors.New("it has ended")
	}
	if err != nil {
		return a, fmt.Errorf("the pin process: %w", err)
	}
	return a, p.said.SetReadDeadline(time.Time{})
}

// listen hands answers to those who wait, and ends with the process.
func (p *process) listen() {
	for p.lines.Scan() {
		var a answer
		if json.Unmarshal(p.lines.Bytes(), &a) != nil {
			continue
		}
		p.mu.Lock()
		if waits := p.asked[a.ID]; waits != nil {
			waits <- a // which has room
			delete(p.asked, a.ID)
		}
		p.mu.Unlock()
	}
	_ = p.said.Close() // it was read to its end, or makes no sense
	_ = p.cmd.Process.Kill()
	err := p.cmd.Wait()
	_ = p.feed.Close()
	p.mu.Lock()
	p.exit = err
	p.mu.Unlock()
	close(p.ended)
}

// end has it make everything safe, and waits until it is gone.
func (p *process) end() {
	_ = p.feed.Close()
	late := time.AfterFunc(starting, func() { _ = p.cmd.Process.Kill() }) // it has ended, then
	<-p.ended
	late.Stop()
}

// reason is why it has ended.
func (p *process) reason() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.deaf != nil:
		return p.deaf
	case p.exit != nil:
		return p.exit
	}
	return errors.New("by itself")
}

func (p *process) isGone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// silenced is closed when it is gone, of one that has failed to answer; else it is closed at once.
func (p *process) silenced() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf != nil {
		return p.ended
	}
	now := make(chan struct{})
	close(now)
	return now
}

// silence kills it.
func (p *process) silence(why error) error {
	p.mu.Lock()
	p.deaf = why
	p.mu.Unlock()
	_ = p.cmd.Process.Kill() // that it is gone already is as well
	return why
}

// write sends an order, unless that is refused at the last moment, and returns who is told of the answer.
func (p *process) write(o order, refused func() error) (id uint64, answers chan answer, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if refused != nil {
		if err := refused(); err != nil {
			return 0, nil, err
		}
	}
	if o.Cancel == 0 {
		p.last++
		o.ID, answers = p.last, make(chan answer, 1)
		p.asked[o.ID] = answers
	}
	line, err := json.Marshal(o)
	if err == nil {
		err = p.feed.SetWriteDeadline(time.Now().Add(patience))
	}
	if err == nil {
		_, err = p.feed.Write(append(line, '\n'))
	}
	return o.ID, answers, err
}

// ask sends an order and waits for the answer. One who is stopped is killed, and so is one who hangs and is to make everything safe.
func (p *process) ask(o order, refused func() error) (answer, error) {
	if p == nil {
		return answer{}, errNone
	}
	_, answers, err := p.write(o, refused)
	if errors.Is(err, errOver) {
		return answer{}, err
	}
	if err != nil {
		return answer{}, p.silence(fmt.Errorf("the pin process does not read: %w", err))
	}
	late, hangs := time.After(patience), time.After(hanging)
	for {
		select {
		case a := <-answers:
			return a, a.err()
		case <-p.ended:
			return answer{}, errNone
		case <-late:
			err := fmt.Errorf("the pin process has not answered for %v", patience)
			switch {
			case isStopped(p.cmd.Process.Pid):
				return answer{}, p.silence(err)
			case !o.Safe:
				return answer{}, err
			}
		case <-hangs:
			return answer{}, p.silence(fmt.Errorf("the pin process has not answered for %v", hanging))
		}
	}
}

// call sends one that takes its time.
func (p *process) call(ctx context.Context, o order, refused func() error) error {
	if p == nil {
		return errNone
	}
	id, answers, err := p.write(o, refused)
	if err != nil {
		return err
	}
	for cancelled := ctx.Done(); ; {
		select {
		case a := <-answers:
			if err := ctx.Err(); err != nil {
				return err
			}
			return a.err()
		case <-p.ended:
			return errNone
		case <-cancelled:
			cancelled = nil
			if _, _, err := p.write(order{Cancel: id}, nil); err != nil {
				return p.silence(fmt.Errorf("the pin process does not read: %w", err))
			}
		}
	}
}

func (a answer) err() error {
	if a.Failed != "" {
		return errors.New(a.Failed)
	}
	return nil
}
