package fallback

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// device is what the agent is called everywhere.
const device = "board"

// patience is how long a test waits for what must come but is not measured.
const patience = 10 * time.Second

// cell is one network before one program: a laboratory of its own, so that cells can run side by side.
//
//	dev ──┐
//	srv ──┼── switch
//	view ─┤
//	box ──┘
type cell struct {
	*rig.Rig  // of who is not behind the box
	lab       *lab.Lab
	srv, box  *lab.Host
	dev, view *lab.Host
	behind    *lab.Host // dev or view
	server    *rig.Server
	code      string // of the login URL, #code=…
}

func newCell(t *testing.T, who string, serverArgs ...string) *cell {
	t.Helper()
	r, err := rig.New(t.TempDir())
	must(t, err)
	l, err := lab.New("dev", "srv", "view", "box")
	must(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &cell{Rig: r, lab: l, srv: l.Host("srv"), box: l.Host("box"), dev: l.Host("dev"), view: l.Host("view")}
	c.behind = l.Host(who)
	return c
}

// serve starts the server at the address that all but those behind the box use.
func (c *cell) serve(t *testing.T, scheme string, at netip.AddrPort, args ...string) {
	t.Helper()
	server, err := c.StartServer(c.srv, at.String(), args...)
	must(t, err)
	c.URL = scheme + "://" + at.String()
	c.serving(t, server)
}

// serving: the server has been started.
func (c *cell) serving(t *testing.T, server *rig.Server) {
	t.Helper()
	endWith(t, "server", server.Program)
	c.server = server
	_, c.code, _ = strings.Cut(server.LoginURL, "#")
}

// startBox starts a middlebox before the server and makes the host's connections to the server end there.
func (c *cell) startBox(t *testing.T, at netip.AddrPort, args ...string) *program.Program {
	t.Helper()
	here := netip.AddrPortFrom(c.box.Addr, 9000)
	box, err := c.Start(c.box, program.Spec{
		Name: "middlebox",
		Args: append([]string{tools + "/middlebox", "-listen", here.String(), "-to", at.String()}, args...),
	})
	must(t, err)
	endWith(t, "middlebox", box)
	_, err = box.WaitFor(readyLine, patience)
	must(t, err)
	must(t, c.behind.Redirect(at, here))
	return box
}

// way is how the programs behind a box are told to reach the server: as their user would tell them.
type way struct {
	url     string
	env     []string           // NAME=VALUE
	browser []string           // arguments of watch.mjs
	after   func(t *testing.T) // looks at what else came of it; nil: nothing
}

// boxed is the rig of who is behind the box.
func (c *cell) boxed(w way) *rig.Rig {
	r := *c.Rig
	if w.url != "" {
		r.URL = w.url
	}
	r.Env = w.env
	return &r
}

// startDevice starts the agent and, where it is not the one behind the box, waits until it is listed.
func (c *cell) startDevice(t *testing.T, r *rig.Rig) *program.Program {
	t.Helper()
	p, err := r.StartDevice(c.dev, device, "--source", "stdin", "--source", "sim,rate=20")
	must(t, err)
	endWith(t, "agent", p)
	must(t, rig.DeclareLog(p))
	return p
}

// linked waits until the agent has been let in, and tells when that was.
func linked(t *testing.T, agent *program.Program) time.Time {
	t.Helper()
	_, err := agent.WaitFor(linkedLine, patience)
	must(t, err)
	return time.Now()
}

var (
	readyLine  = regexp.MustCompile(`^ready`)
	linkedLine = regexp.MustCompile(`"msg":"linked"`)
)
