package switches

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// viewBy watches in a terminal.
func viewBy(args ...string) func(*world) (*rig.Watcher, error) {
	return func(w *world) (*rig.Watcher, error) { return w.View(w.viewAt(), device, append(verbose, args...)...) }
}

func (w *world) startProxy() (err error) {
	dir := filepath.Join(w.Dir, "proxy")
	if err := errors.Join(os.MkdirAll(dir, 0o777), os.Chmod(w.Dir, 0o711)); err != nil { // squid becomes another user
		return err
	}
	w.proxy, err = w.StartSquid(w.far.There, netip.AddrPortFrom(w.far.There.Addr, rig.ProxyPort), dir, rig.SquidPolicy{})
	return err
}

// viewByProxy watches through the proxy alone: over UDP it would get past it.
func viewByProxy(w *world) (*rig.Watcher, error) {
	if err := w.startProxy(); err != nil {
		return nil, err
	}
	return w.View(w.viewAt(), device, append(verbose, "--only", "ws,sse,poll", "--proxy", w.proxy.URL(""))...)
}

// browse returns when the page is there: how long a Chromium takes to start is not what is measured.
func browse(w *world) (*rig.Watcher, error) {
	return w.BrowseReady(w.viewAt(), w.server.LoginURL, device)
}

// restartProxy counts from when the new one is ready.
func restartProxy(w *world, chance *rand.Rand) (time.Time, error) {
	w.proxy.Kill()
	time.Sleep(between(chance, 0, 2*time.Second))
	err := w.startProxy()
	return time.Now(), err
}

// reloadTab counts from the beginning of the new document. From then on the
// page must have all events, kept from before or new.
func reloadTab(w *world, _ *rand.Rand) (time.Time, error) {
	mark := w.viewer.Mark()
	if err := w.viewer.Write("reload"); err != nil {
		return time.Time{}, err
	}
	load, err := w.viewer.Await("a new document", mark, starting, func(e rig.Event) bool { return e.Type == "load" })
	if err != nil {
		return time.Time{}, err
	}
	w.life = w.viewer.MarkOf(load)
	return load.At, nil
}

// cutUDP counts from the cut: nobody is told of it.
func cutUDP(w *world, chance *rand.Rand) (time.Time, error) {
	err := w.far.Here.CutUDP()
	cut := time.Now() // not before: setting the rule takes longer than a sample
	if err != nil {
		return cut, err
	}
	time.Sleep(between(chance, time.Second, 3*time.Second))
	return cut, w.far.Here.MendUDP()
}

// killServer counts from the moment the new server is ready.
func killServer(w *world, chance *rand.Rand) (time.Time, error) {
	w.server.Kill()
	time.Sleep(between(chance, 0, 2*time.Second))
	err := w.startServer()
	return time.Now(), err
}

// restartAgent counts from the start of the new one.
func restartAgent(w *world, _ *rand.Rand) (time.Time, error) {
	w.stopProducer()
	if code, err := w.agent.Stop(10 * time.Second); err != nil || code != 0 {
		return time.Time{}, fmt.Errorf("the agent ended with %d: %v; it said:\n%s", code, err, w.agent.Tail(10))
	}
	started := time.Now()
	if err := w.startAgent(); err != nil {
		return started, err
	}
	w.startProducer()
	return started, nil
}

// moveHome counts from when the host has its new address.
func moveHome(w *world, _ *rand.Rand) (time.Time, error) {
	err := w.home.Move()
	return time.Now(), err
}

// moveRouter counts from when the router has its new address.
func moveRouter(w *world, _ *rand.Rand) (time.Time, error) {
	err := w.far.Move()
	return time.Now(), err
}
