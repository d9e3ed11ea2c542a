// Package e2e runs the built programs, and a real Chromium, in network namespaces and judges them by what a user sees.
//
// Plain `go test ./...` skips it and says why; `make test-e2e` (and `make test`) build the programs, set TELEPATH_E2E and so
// turn every missing thing into a failure.
package e2e

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// world is a laboratory with a server running in it: hosts dev, srv and view.
type world struct {
	*rig.Rig
	dev, srv, view *lab.Host
	server         *rig.Server
}

func (w *world) addr() string { return w.srv.Addr.String() + ":8080" }

// atATime is how many worlds there are at once. They wait most of the time.
const atATime = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", atATime); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// newWorld makes one for a test that runs beside others from here on.
func newWorld(t *testing.T, serverArgs ...string) *world {
	t.Helper()
	w := newEmptyWorld(t)
	w.startServer(t, serverArgs...)
	return w
}

// newEmptyWorld is one whose server is still to be started.
func newEmptyWorld(t *testing.T) *world {
	t.Helper()
	skipUnlessAsked(t)
	t.Parallel()
	return theWorld(t)
}

// newLoneWorld has none of this package's beside it: where a program that does not run for 150 ms has let go.
func newLoneWorld(t *testing.T) *world {
	t.Helper()
	skipUnlessAsked(t)
	w := theWorld(t)
	w.startServer(t)
	return w
}

func theWorld(t *testing.T) *world {
	t.Helper()
	r, err := rig.New(t.TempDir())
	must(t, err)
	l, err := lab.New("dev", "srv", "view")
	must(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{Rig: r, dev: l.Host("dev"), srv: l.Host("srv"), view: l.Host("view")}
}

// newFarWorld is a server at the other end of a link of those conditions, for a test that runs beside others.
func newFarWorld(t *testing.T, conditions string) (*rig.Rig, *rig.FarLink) {
	t.Helper()
	skipUnlessAsked(t)
	t.Parallel()
	r, err := rig.New(t.TempDir())
	must(t, err)
	far, err := rig.NewFarLink(r.Dir, conditions)
	must(t, err)
	t.Cleanup(far.Close)
	server, err := r.StartServer(far.There, far.There.Addr.String()+":8080")
	must(t, err)
	endWith(t, "server", server.Program)
	return r, far
}

// skipUnlessAsked skips where nobody asked for these tests, and fails where somebody did and the machine lacks something.
func skipUnlessAsked(t *testing.T) {
	t.Helper()
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("end-to-end tests start the built programs in network namespaces: run `make test-e2e` as root")
	}
	if err := lab.Missing(); err != nil {
		t.Fatal(err)
	}
}

func (w *world) startServer(t *testing.T, args ...string) {
	t.Helper()
	server, err := w.StartServer(w.srv, w.addr(), args...)
	must(t, err)
	w.server = server
	endWith(t, "server", server.Program)
}

// startDevice starts an agent on host dev and waits until viewers can find it.
func (w *world) startDevice(t *testing.T, name string, args ...string) *program.Program {
	t.Helper()
	p, err := w.StartDevice(w.dev, name, args...)
	must(t, err)
	endWith(t, name, p)
	w.awaitLive(t, name)
	return p
}

func (w *world) awaitLive(t *testing.T, name string) {
	t.Helper()
	must(t, w.AwaitLive(w.view, name, 20*time.Second))
}

// watchers are the two ways to watch a device: the terminal's and the browser's. What holds must hold for both.
var watchers = []struct {
	name  string
	shows bool          // it has a log to read, beside what it reports
	dark  time.Duration // how long UDP stays cut: shorter and longer than ICE needs to give up (30 s)
	start func(t *testing.T, w *world, device string) *rig.Watcher
}{
	{"terminal", false, 35 * time.Second, func(t *testing.T, w *world, device string) *rig.Watcher { return w.watch(t, device) }},
	{"Chromium", true, 5 * time.Second, func(t *testing.T, w *world, device string) *rig.Watcher { return w.browse(t, device) }},
}

// watch starts `telepath view` on host view.
func (w *world) watch(t *testing.T, device string, args ...string) *rig.Watcher {
	t.Helper()
	v, err := w.View(w.view, device, args...)
	must(t, err)
	endWith(t, "view", v.Program)
	return v
}

// browse opens the device's page in Chromium on host view. Any error of the page fails the test.
func (w *world) browse(t *testing.T, device string, args ...string) *rig.Watcher {
	t.Helper()
	b, err := w.BrowseReady(w.view, w.server.LoginURL, device, args...)
	if b != nil {
		endWith(t, "Chromium", b.Program)
	}
	must(t, err)
	t.Cleanup(func() {
		events, _ := b.Events()
		for _, e := range events {
			if e.Type == "error" {
				t.Errorf("the page reports: %s", e.Text)
			}
		}
	})
	return b
}

// endWith kills a program with its test, and shows its last words if the test failed.
func endWith(t *testing.T, name string, p *program.Program) {
	t.Helper()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said at last:\n%s", name, p.Tail(40))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func programSpec(args ...string) program.Spec { return program.Spec{Args: args} }

func containsFold(s, part string) bool { return strings.Contains(strings.ToLower(s), part) }
