// Package turn tests the server's TURN from outside: with coturn's own client, with pion's, and with requests that neither would
// make; and the credentials for an external server against a real coturn.
package turn

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

const (
	port     = 8443
	patience = 10 * time.Second // for what must come but is not measured
)

// world is a server in a laboratory.
type world struct {
	*rig.Rig
	lab             *lab.Lab
	srv, cli, other *lab.Host
	server          *rig.Server
	admin           string // address of the metrics, on srv
}

func newWorld(t *testing.T, more ...string) *world {
	t.Helper()
	skipUnlessAsked(t)
	r, err := rig.New(t.TempDir())
	must(t, err)
	l, err := lab.New(append([]string{"srv", "cli", "other"}, more...)...)
	must(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Rig: r, lab: l, srv: l.Host("srv"), cli: l.Host("cli"), other: l.Host("other")}
	w.admin = netip.AddrPortFrom(w.srv.Addr, 9090).String()
	return w
}

func (w *world) addr() string { return netip.AddrPortFrom(w.srv.Addr, port).String() }

func (w *world) start(t *testing.T, args ...string) {
	t.Helper()
	server, err := w.StartServer(w.srv, w.addr(), append([]string{"--admin", w.admin}, args...)...)
	must(t, err)
	w.server = server
	endWith(t, "server", server.Program)
}

// secret of the embedded server's credentials.
func (w *world) secret(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(w.Dir, "server", "turn.key"))
	must(t, err)
	return strings.TrimSpace(string(b))
}

// skipUnlessAsked skips where nobody asked for these tests, and fails where somebody did and the machine lacks something.
func skipUnlessAsked(t *testing.T) {
	t.Helper()
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("this test starts the built programs in network namespaces: run `make test-e2e` as root")
	}
	must(t, lab.Missing())
	for _, name := range []string{"turnutils_uclient", "turnserver"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%v: install coturn", err)
		}
	}
}

// endWith kills a program with its test, and shows its last words if the test failed.
func endWith(t *testing.T, name string, p *program.Program) {
	t.Helper()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said at last:\n%s", name, p.Tail(25))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
