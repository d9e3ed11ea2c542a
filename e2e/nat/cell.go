package nat

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// device is what the agent is called everywhere.
const device = "board"

// serverPort is the one that every kind but the last lets through, and the last one's proxy.
const serverPort = 443

// Cell is a pair and who watches: "view" in a terminal, or "Chromium".
type Cell struct {
	Pair
	Viewer string
}

// Viewers are all who watch.
var Viewers = []string{"view", "Chromium"}

// world is a server with TLS on the public network and the two ends at home.
type world struct {
	*rig.Rig
	lab       *lab.Lab
	dev, view end
	server    *rig.Server
	started   []*program.Program // to be ended, newest first
	folders   []string           // to be removed
}

// end is one of the two: where it is, and the rig as it is told of it.
type end struct {
	home  *lab.Home
	rig   *rig.Rig
	proxy string // its URL; empty: none
}

// newWorld builds it; what it returns beside an error is to be closed, too.
func newWorld(p Pair) (w *world, err error) {
	w = &world{}
	dir, err := w.folder()
	if err != nil {
		return w, err
	}
	if w.Rig, err = rig.New(dir); err != nil {
		return w, err
	}
	if w.lab, err = lab.NewInternet("srv"); err != nil {
		return w, err
	}
	srv := w.lab.Host("srv")
	server, ca, err := w.StartTLSServer(srv, netip.AddrPortFrom(srv.Addr, serverPort))
	if err != nil {
		return w, err
	}
	w.server, w.started = server, append(w.started, server.Program)
	if err := w.TrustInChromium(ca); err != nil {
		return w, err
	}
	if w.dev, err = w.settle("dev", p.Device); err != nil {
		return w, err
	}
	w.view, err = w.settle("view", p.Viewer)
	return w, err
}

// settle makes one end's home, with a proxy on its router if that is the only way out.
func (w *world) settle(name string, kind lab.Kind) (e end, err error) {
	told := *w.Rig
	e.rig = &told
	if e.home, err = w.lab.Home(name, kind); err != nil || kind != lab.OnlyProxy {
		return e, err
	}
	dir, err := w.folder()
	if err != nil {
		return e, err
	}
	at := netip.AddrPortFrom(e.home.Inside, rig.ProxyPort)
	squid, err := w.StartSquid(e.home.Router, at, dir, rig.SquidPolicy{Auth: "basic", Ports: fmt.Sprint(serverPort)})
	if err != nil {
		return e, err
	}
	w.started = append(w.started, squid.Program)
	e.proxy = squid.URL(rig.ProxyCredentials)
	told.Env = append(rig.ProxyEnv(e.proxy), w.Env...)
	return e, nil
}

func (w *world) folder() (string, error) {
	dir, err := os.MkdirTemp("", "telepath-nat-")
	w.folders = append(w.folders, dir)
	return dir, err
}

func (w *world) close() (err error) {
	for i := range w.started {
		w.started[len(w.started)-1-i].Kill()
	}
	if w.lab != nil {
		err = w.lab.Close()
	}
	for _, dir := range w.folders {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

var linkedLine = regexp.MustCompile(`"msg":"linked"`)

// startAgent starts it and waits until it has been let in.
func (w *world) startAgent() (*program.Program, error) {
	agent, err := w.dev.rig.StartDevice(w.dev.home.Host, device, "--source", "stdin", "--source", "sim,rate=20", "--log-level", "debug")
	if err != nil {
		return nil, err
	}
	w.started = append(w.started, agent)
	if err := rig.DeclareLog(agent); err != nil {
		return nil, err
	}
	_, err = agent.WaitFor(linkedLine, patience)
	return agent, err
}

// startViewer starts one of either kind and waits for its first sample. began is when its user began to wait.
func (w *world) startViewer(viewer string) (v *rig.Watcher, sample rig.Event, began time.Time, err error) {
	r, on := w.view.rig, w.view.home.Host
	if viewer == "view" {
		began = time.Now()
		if v, err = r.View(on, device, "--log-level", "debug"); err != nil {
			return nil, sample, began, err
		}
		w.started = append(w.started, v.Program)
		sample, err = v.AwaitSample("", 0, patience)
		return v, sample, began, err
	}
	_, code, _ := strings.Cut(w.server.LoginURL, "#")
	var args []string
	if w.view.proxy != "" {
		args = append(args, "--proxy="+w.view.proxy)
	}
	opened, err := r.Open(on, w.URL+"/#"+code, device, args...)
	if opened.Watcher != nil {
		w.started = append(w.started, opened.Program)
	}
	return opened.Watcher, opened.First, opened.Loaded, err
}

// Result is what came of a cell.
type Result struct {
	Cell
	First     time.Duration // to the first sample
	FirstRung string
	Rung      string        // in the end
	Reached   time.Duration // the expected rung, after the same beginning; 0: never
	Verdict   ledger.Verdict
	Said      string // what the viewer told of its path
	Err       error  // what kept the cell from being run to its end
}

const patience = 20 * time.Second // for what must come but is not measured

// Run runs one cell, with events for so long.
func Run(cell Cell, counted time.Duration) (r *Result) {
	r = &Result{Cell: cell}
	w, err := newWorld(cell.Pair)
	defer func() { r.Err = errors.Join(r.Err, w.close()) }()
	if err == nil {
		err = r.run(w, counted)
	}
	r.Err = err
	return r
}

func (r *Result) run(w *world, counted time.Duration) error {
	agent, err := w.startAgent()
	if err != nil {
		return err
	}
	v, first, began, err := w.startViewer(r.Viewer)
	if err != nil {
		return err
	}
	r.First, r.FirstRung = first.At.Sub(began), first.Path
	events := rig.StartProducer(agent, 1)
	defer events.Stop()
	counting := time.Now()
	if at, err := v.AwaitPath(r.Expected(), 0, patience); err == nil {
		r.Reached = at.At.Sub(began)
	}
	time.Sleep(time.Until(counting.Add(counted)))
	r.Verdict, err = events.Settle(v, 1)
	r.Rung, r.Said = told(v)
	if r.Judge() != nil {
		if r.Viewer == "Chromium" {
			r.Said += drawer(v)
		}
		r.Said += "the agent said:\n" + complaints(agent) + "the viewer:\n" + complaints(v.Program) + "the server:\n" + complaints(w.server.Program)
	}
	return err
}

// told is the rung that the viewer named last, and all that it named with the reasons.
func told(v *rig.Watcher) (rung, said string) {
	events, err := v.Events()
	if err != nil {
		return "", err.Error()
	}
	for _, e := range events {
		if e.Type == "path" {
			rung = e.Path
			said += fmt.Sprintf("%s %s: %s\n", e.At.Format("05.000"), e.Path, e.Reason)
		}
	}
	return rung, said
}

// drawer is what a page says of all its rungs.
func drawer(v *rig.Watcher) string {
	if err := v.Write("drawer"); err != nil {
		return err.Error()
	}
	shown, err := v.Await("drawer", 0, patience, func(e rig.Event) bool { return e.Type == "drawer" })
	if err != nil {
		return err.Error()
	}
	return "its drawer:\n" + shown.Text + "\n"
}

// complaints are what a program wrote to standard error, its log.
func complaints(p *program.Program) (said string) {
	for line := range strings.Lines(p.Tail(10_000)) {
		if strings.Contains(line, " ! ") {
			said += line
		}
	}
	return said
}

// What a cell must hold.
const (
	firstWithin = 2 * time.Second // and two round trips, which are under a millisecond here
	rungWithin  = 5 * time.Second
)

// Judge says what is wrong, if anything is.
func (r *Result) Judge() error {
	var errs []error
	if r.Err != nil {
		errs = append(errs, r.Err)
	}
	if r.First > firstWithin {
		errs = append(errs, fmt.Errorf("the first sample came after %v, want at most %v", r.First, firstWithin))
	}
	switch want := r.Expected(); {
	case r.Rung != want:
		errs = append(errs, fmt.Errorf("it ended up on %s, want %s", r.Rung, want))
	case r.Reached > rungWithin:
		errs = append(errs, fmt.Errorf("it reached %s after %v, want at most %v", want, r.Reached, rungWithin))
	}
	if !r.Verdict.OK() || r.Verdict.Delivered == 0 {
		errs = append(errs, fmt.Errorf("events: %v", r.Verdict))
	}
	return errors.Join(errs...)
}
