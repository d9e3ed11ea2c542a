package nat

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/tidy"
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
	folders   []func()           // remove them
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
	server, ca, err := w.StartTLSServer(srv, srv.Addr.String(), netip.AddrPortFrom(srv.Addr, serverPort))
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
	dir, remove, err := tidy.Folder("telepath-nat-")
	w.folders = append(w.folders, remove)
	return dir, err
}

func (w *world) close() (err error) {
	for i := range w.started {
		w.started[len(w.started)-1-i].Kill()
	}
	if w.lab != nil {
		err = w.lab.Close()
	}
	for _, remove := range w.folders {
		remove()
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
