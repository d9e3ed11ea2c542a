// Package badinput attacks the built programs from outside, as a careless user and as somebody who means harm would: bad
// lines, bad requests, bad frames, bad names, viewers that stop reading. What is told, and that nobody else is harmed, is
// judged by what users see. Single rules have their tests beside the code that keeps them.
package badinput

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// patience is how long a test waits for what must come: a loaded machine's, no time that is measured.
const patience = 20 * time.Second

// world is a server on this machine, and its metrics.
type world struct {
	*rig.Rig
	server  *rig.Server
	metrics string // URL
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("these tests start the built programs: run `make test-e2e`")
	}
	r, err := rig.New(t.TempDir())
	must(t, err)
	addr, err := rig.FreeAddress()
	must(t, err)
	admin, err := rig.FreeAddress()
	must(t, err)
	server, err := r.StartServer(nil, addr, "--admin", admin)
	must(t, err)
	endWith(t, "server", server.Program)
	return &world{r, server, "http://" + admin + "/metrics"}
}

// device starts an agent that reads its standard input, and waits until it is linked.
func (w *world) device(t *testing.T, name string, args ...string) *program.Program {
	t.Helper()
	d, err := w.StartDevice(nil, name, append([]string{"--source", "stdin"}, args...)...)
	must(t, err)
	endWith(t, name, d)
	waitFor(t, d, `"msg":"linked"`)
	return d
}

// view watches a device in a terminal, and waits until it is there.
func (w *world) view(t *testing.T, device string, args ...string) *rig.Watcher {
	t.Helper()
	v, err := w.View(nil, device, args...)
	must(t, err)
	endWith(t, "view", v.Program)
	_, err = v.Await("path", 0, patience, func(e rig.Event) bool { return e.Type == "path" && e.Path != "" })
	must(t, err)
	return v
}

// counted is the sum of the metrics whose name and labels begin so.
func (w *world) counted(t *testing.T, prefix string) (sum float64) {
	t.Helper()
	answer, err := http.Get(w.metrics)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, prefix) {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
			must(t, err)
			sum += value
		}
	}
	return sum
}

func waitFor(t *testing.T, p *program.Program, text string) {
	t.Helper()
	_, err := p.WaitFor(regexp.MustCompile(regexp.QuoteMeta(text)), patience)
	must(t, err)
}

// endWith kills a program with its test, and shows its last words if the test failed.
func endWith(t *testing.T, name string, p *program.Program) {
	t.Helper()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said at last:\n%s", name, p.Tail(20))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
