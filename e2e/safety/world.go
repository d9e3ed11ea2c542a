package safety

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

const (
	device   = "rover"
	starting = 30 * time.Second
	link     = "delay=10ms"
)

// world is a server and a device near one another and operators at the far end of an emulated link, or all three on one switch.
type world struct {
	*rig.Rig
	far            *rig.FarLink // nil: on one switch
	lab            *lab.Lab     // nil: on a link
	dev, srv, view *lab.Host
	book           book
	server         *rig.Server
	agent          *program.Program
	operators      []*watched
	witnesses      []*watched
	closing        []func()
}

// newWorld builds it; what it returns beside an error is to be closed, too.
func newWorld(dir string, onLink bool) (w *world, err error) {
	w = &world{}
	if w.Rig, err = rig.New(dir); err != nil {
		return nil, err
	}
	if w.book, err = newBook(dir); err != nil {
		return nil, err
	}
	if onLink {
		if w.far, err = rig.NewFarLink(dir, link); err != nil {
			return nil, err
		}
		w.dev, w.srv, w.view = w.far.There, w.far.There, w.far.Here
	} else {
		if w.lab, err = lab.New("dev", "srv", "view"); err != nil {
			return nil, err
		}
		w.dev, w.srv, w.view = w.lab.Host("dev"), w.lab.Host("srv"), w.lab.Host("view")
	}
	if err = w.startServer(); err != nil {
		return w, err
	}
	if err = w.startAgent(); err != nil {
		return w, err
	}
	if err = w.startWitnesses(); err != nil {
		return w, err
	}
	return w, w.AwaitLive(w.view, device, starting)
}

func (w *world) close() {
	for _, p := range slices.Concat(w.operators, w.witnesses) {
		p.Kill()
	}
	for _, end := range w.closing {
		end()
	}
	if w.agent != nil {
		_ = syscall.Kill(w.agent.PID(), syscall.SIGCONT) // it may be stopped
		w.agent.Kill()
	}
	if w.server != nil {
		w.server.Kill()
	}
	if w.far != nil {
		w.far.Close()
		return
	}
	_ = w.lab.Close() // what is left is seen by whoever lists namespaces
}

func (w *world) startServer() (err error) {
	w.server, err = w.StartServer(w.srv, w.srv.Addr.String()+":8080")
	return err
}

func (w *world) startAgent() (err error) {
	w.agent, err = w.StartDevice(w.dev, device, "--control", w.book.config)
	return err
}

// watched is an operator, and what it said.
type watched struct {
	*program.Program
	mu   sync.Mutex
	said []said // guarded by mu
}

// startOperator starts one.
func (w *world) startOperator(o order) (*watched, error) {
	token, err := os.ReadFile(w.Token("operator"))
	if err != nil {
		return nil, err
	}
	o.URL, o.Token = w.URL, string(token[:max(0, len(token)-1)])
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &watched{}
	p.Program, err = w.Start(w.view, program.Spec{
		Name: "operator " + o.Name, Stdin: true, OnLine: p.line, Args: []string{self}, Env: []string{operatorVariable + "=" + string(text)},
	})
	if err == nil {
		w.operators = append(w.operators, p)
	}
	return p, err
}

func (p *watched) line(l program.Line) {
	var s said
	if json.Unmarshal([]byte(l.Text), &s) != nil {
		return // of a test binary; what is missed shows
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, s)
}

func (p *watched) all() []said {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]said(nil), p.said...)
}

// paused is for how long the hand did not run at worst since a time.
func (p *watched) paused(since time.Time) (worst time.Duration) {
	for _, s := range p.all() {
		if s.Type == "paused" && s.At >= since.UnixMicro() {
			worst = max(worst, time.Duration(s.MS)*time.Millisecond)
		}
	}
	return worst
}

// path is the one that it named last.
func (p *watched) path() (name string) {
	for _, s := range p.all() {
		if s.Type == "path" {
			name = s.Path
		}
	}
	return name
}

// awaitPath waits until it is on a rung.
func (p *watched) awaitPath(rung string) error {
	most := slack.Of(starting)
	for end := time.Now().Add(most); p.path() != rung; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("not on %s within %v, but on %q:\n%s", rung, most, p.path(), p.Tail(10))
		}
	}
	return nil
}

// awaitMoving waits until the axis moves again, after a time.
func (w *world) awaitMoving(since time.Time) error {
	err := w.book.await("it moves", since, slack.Of(starting), anyMoves)
	if err != nil {
		err = fmt.Errorf("%w\nagent:\n%s", err, w.agent.Tail(10))
		for _, o := range w.operators {
			_ = o.Write("tell") // who is gone shows
		}
		time.Sleep(time.Second)
		for _, o := range w.operators {
			err = fmt.Errorf("%w\noperator:\n%s", err, o.Tail(10))
		}
	}
	return err
}

// within makes a world for as long as something is done with it.
func within(onLink bool, do func(*world) error) error {
	dir, remove, err := tidy.Folder("telepath-safety-")
	if err != nil {
		return err
	}
	defer remove()
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	w, err := newWorld(dir, onLink)
	if w != nil && (w.far != nil || w.lab != nil) {
		defer w.close()
	}
	if err != nil {
		return errors.Join(errors.New("build a world"), err)
	}
	return do(w)
}
