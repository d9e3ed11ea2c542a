package restarts

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

const (
	device = "board"
	coming = 30 * time.Second // until everything has begun
	asking = 20 * time.Millisecond
)

// world is a server, a device, and two who watch it, one of them on the relay.
type world struct {
	*rig.Rig
	remove  func() // of its folder
	addr    string
	server  *rig.Server
	killed  *rig.Server // the one before; nil: none
	agent   *program.Program
	viewers []*viewer
}

// viewer is one who watches.
type viewer struct {
	*rig.Watcher
	path func(rung string) bool // it is on one that is its own
}

// newWorld builds it; what it returns beside an error is to be closed, too.
func newWorld() (*world, error) {
	dir, remove, err := tidy.Folder("telepath-restarts-")
	if err != nil {
		return nil, err
	}
	r, err := rig.New(dir)
	if err != nil {
		remove()
		return nil, err
	}
	w := &world{Rig: r, remove: remove}
	return w, w.begin()
}

func (w *world) begin() (err error) {
	if w.addr, err = freeAddress(); err != nil {
		return err
	}
	if err := w.launch(); err != nil {
		return err
	}
	if err := w.server.AwaitReady(); err != nil {
		return err
	}
	if w.agent, err = w.StartDevice(nil, device, "--source", "sim,rate=20", "--log-level", "debug"); err != nil {
		return err
	}
	if err := w.AwaitLive(nil, device, coming); err != nil {
		return err
	}
	return errors.Join(
		w.watch(func(rung string) bool { return rung != "udp" }, "--relay"),
		w.watch(func(rung string) bool { return rung == "udp" }),
	)
}

func (w *world) watch(path func(rung string) bool, args ...string) error {
	watcher, err := w.View(nil, device, append(args, "--log-level", "debug")...)
	if err != nil {
		return err
	}
	w.viewers = append(w.viewers, &viewer{watcher, path})
	_, err = watcher.AwaitSample("", 0, coming)
	return err
}

// own is an address of this machine at which no connection of anybody's begins: the server is away from its port now and then.
const own = "127.77.0.1"

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", own+":0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (w *world) close() {
	for _, p := range w.programs() {
		p.Kill()
	}
	w.remove()
}

// programs are all there are, and the server before.
func (w *world) programs() (all []*program.Program) {
	for _, s := range []*rig.Server{w.killed, w.server} {
		if s != nil {
			all = append(all, s.Program)
		}
	}
	if w.agent != nil {
		all = append(all, w.agent)
	}
	for _, v := range w.viewers {
		all = append(all, v.Program)
	}
	return all
}

// launch starts a server, and does not wait for it.
func (w *world) launch() error {
	p, err := w.LaunchServer(nil, w.addr, "--allow-host", own, "--log-level", "debug")
	if err == nil {
		w.killed, w.server = w.server, &rig.Server{Program: p}
	}
	return err
}

func (w *world) signal(s syscall.Signal) { _ = syscall.Kill(-w.server.PID(), s) } // one that has ended says so itself

// awaitLive waits until the server, as soon as it answers, says that the device is online.
func (w *world) awaitLive() error {
	most := slack.Of(Goal)
	for began := time.Now(); !w.isLive(); time.Sleep(asking) {
		if time.Since(began) > most {
			return fmt.Errorf("the device was offline for %v beside a server that was ready", most)
		}
	}
	return nil
}

func (w *world) isLive() bool {
	token, err := os.ReadFile(w.Token("viewer"))
	if err != nil {
		return false
	}
	request, err := http.NewRequest(http.MethodGet, w.URL+"/v1/devices", nil)
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	type presence struct{ Name, State string }
	var list struct{ Devices []presence }
	err = json.NewDecoder(answer.Body).Decode(&list)
	return err == nil && slices.ContainsFunc(list.Devices, func(d presence) bool { return d.Name == device && d.State == "live" })
}

// withLogs adds to an error where what the programs said is kept.
func (w *world) withLogs(err error) error {
	dir, kept := rig.KeepLogs(w.programs()...)
	if kept != nil {
		return errors.Join(err, kept)
	}
	return fmt.Errorf("%w; what the programs said is in %s", err, dir)
}
