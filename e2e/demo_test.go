package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

var leastRoundTrip = regexp.MustCompile(`round trip min ([\d.]+) ms`)

// demoOnPort is where a demo has its programs, and a port for its server.
func demoOnPort(t *testing.T) (r *rig.Rig, port string) {
	t.Helper()
	skipUnlessAsked(t)
	t.Parallel()
	r, err := rig.New(t.TempDir())
	must(t, err)
	free, err := rig.FreeAddress()
	must(t, err)
	_, port, err = net.SplitHostPort(free)
	must(t, err)
	return r, port
}

// The demo as `make run` starts it, with its machine behind a link that an operator makes bad: what he asked for is what the path
// is then, and with the demo's end nothing of it is left.
func TestBadLinkOfTheDemo(t *testing.T) {
	r, port := demoOnPort(t)
	root := filepath.Dir(r.Bin)
	link := filepath.Join(root, ".cache", "linkem") // as `make run` builds it
	if out, err := exec.Command("go", "build", "-o", link, "github.com/telepath-iot/telepath/e2e/linkem").CombinedOutput(); err != nil {
		t.Fatalf("build linkem: %v: %s", err, out)
	}
	r.Env = []string{"PORT=" + port, "BAD_LINK=1", "DEVICE=board", "DATA=" + filepath.Join(r.Dir, "demo")}
	demo, err := r.Start(nil, program.Spec{Args: []string{filepath.Join(root, "tools", "run.sh")}, Tidies: true})
	must(t, err)
	endWith(t, "the demo", demo)
	t.Cleanup(func() { _, _ = demo.Stop(10 * time.Second) }) // killed, it would leave its namespace behind
	_, err = demo.WaitFor(regexp.MustCompile(`^http://localhost:\d+/#code=`), 40*time.Second)
	must(t, err)

	telepath := func(args ...string) *program.Program {
		p, err := r.Start(nil, program.Spec{Args: append([]string{filepath.Join(r.Bin, "telepath")}, args...)})
		must(t, err)
		endWith(t, args[0], p)
		return p
	}
	ends(t, telepath("call", "machine", "bad-link", `{"delay": 50, "loss": 1}`), exitDone, "done")
	ping := telepath("ping", "machine", "-c", "4")
	found, err := ping.WaitFor(leastRoundTrip, commandTime)
	must(t, err)
	if least, err := strconv.ParseFloat(found[1], 64); err != nil || least < 100 {
		t.Errorf("over 50 ms each way the shortest round trip is %s ms", found[1])
	}

	_, err = demo.Stop(10 * time.Second)
	must(t, err)
	for _, left := range []string{"/run/netns/telepath-" + port, "/sys/class/net/telepath" + port} {
		if _, err := os.Stat(left); err == nil {
			t.Errorf("%s is left behind", left)
		}
	}
}

// Who has settings for a server of his own has them after the demo, too.
func TestTheDemoKeepsSettings(t *testing.T) {
	r, port := demoOnPort(t)
	own := filepath.Join(r.Dir, "config", "telepath", "config.yaml") // where a program of the rig looks for it
	must(t, os.MkdirAll(filepath.Dir(own), 0o700))
	const settings = "server: https://telepath.example\n"
	must(t, os.WriteFile(own, []byte(settings), 0o600))
	data := filepath.Join(r.Dir, "demo")
	r.Env = []string{"PORT=" + port, "DEVICE=board", "DATA=" + data}
	demo, err := r.Start(nil, program.Spec{Args: []string{filepath.Join(filepath.Dir(r.Bin), "tools", "run.sh")}, Tidies: true})
	must(t, err)
	endWith(t, "the demo", demo)
	t.Cleanup(func() { _, _ = demo.Stop(10 * time.Second) })
	found, err := demo.WaitFor(regexp.MustCompile(`in a terminal: +bin/telepath --config (\S+) view board$`), 40*time.Second)
	must(t, err)
	if text, err := os.ReadFile(own); err != nil || string(text) != settings {
		t.Errorf("the settings are %q now, %v", text, err)
	}
	p, err := r.Start(nil, program.Spec{Args: []string{filepath.Join(r.Bin, "telepath"), "--config", found[1], "ping", "board", "-c", "1"}})
	must(t, err)
	endWith(t, "ping", p)
	ends(t, p, exitDone, "1 replies")
	_, err = demo.Stop(10 * time.Second)
	must(t, err)
}
