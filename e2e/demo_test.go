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

// The demo as `make run` starts it, with its machine behind a link that an operator makes bad: what he asked for is what the path
// is then, and with the demo's end nothing of it is left.
func TestBadLinkOfTheDemo(t *testing.T) {
	skipUnlessAsked(t)
	t.Parallel()
	r, err := rig.New(t.TempDir())
	must(t, err)
	free, err := rig.FreeAddress()
	must(t, err)
	_, port, err := net.SplitHostPort(free)
	must(t, err)
	root := filepath.Dir(r.Bin)
	link := filepath.Join(root, ".cache", "linkem") // as `make run` builds it
	if out, err := exec.Command("go", "build", "-o", link, "github.com/telepath-iot/telepath/e2e/linkem").CombinedOutput(); err != nil {
		t.Fatalf("build linkem: %v: %s", err, out)
	}
	r.Env = []string{"PORT=" + port, "BAD_LINK=1", "DEVICE=board", "DATA=" + filepath.Join(r.Dir, "demo")}
	demo, err := r.Start(nil, program.Spec{Args: []string{filepath.Join(root, "tools", "run.sh")}})
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
