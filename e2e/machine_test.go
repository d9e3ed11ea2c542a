package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// balanced is what e2e/balance prints.
type balanced struct {
	Up     float64 `json:"up_s"`
	Ended  string  `json:"ended"`
	Path   string  `json:"path"`
	Forces int     `json:"forces"`
	AgeP50 float64 `json:"age_ms_p50"`
}

// balancePole balances the pole of the device "machine" from the near host, as soon as a path carries.
func balancePole(t *testing.T, w *rig.Rig, far *rig.FarLink, path string, most time.Duration, args ...string) balanced {
	t.Helper()
	tool := filepath.Join(w.Dir, "balance")
	if out, err := exec.Command("go", "build", "-o", tool, "github.com/telepath-iot/telepath/e2e/balance").CombinedOutput(); err != nil {
		t.Fatalf("build balance: %v: %s", err, out)
	}
	lines := make(chan string, 1)
	p, err := w.Start(far.Here, program.Spec{
		Name:   "balance",
		OnLine: func(l program.Line) { lines <- l.Text },
		Args:   append([]string{tool, "-server", w.URL, "-token-file", w.Token("operator"), "-path", path, "-for", most.String()}, args...),
	})
	must(t, err)
	endWith(t, "balance", p)
	var b balanced
	select {
	case line := <-lines:
		must(t, json.Unmarshal([]byte(line), &b))
	case <-time.After(most + 90*time.Second):
		t.Fatal("balance said nothing")
	}
	return b
}

// The loop over the network is closed: 100 ms there and back and a loss of 5 % in each direction, and the pole stays up.
// It has the machine to itself: a loop that the processor comes late to is no longer the network's.
func TestBalancesOverABadLink(t *testing.T) {
	w, far := newFarWorld(t, "delay=50ms loss=5%")
	device, err := w.StartDevice(far.There, "machine", "--source", "machine")
	must(t, err)
	endWith(t, "machine", device)
	must(t, w.AwaitLive(far.There, "machine", firstPath))
	const most = 20 * time.Second
	b := balancePole(t, w, far, "udp", most)
	t.Logf("%+v", b)
	if b.Up < most.Seconds() {
		t.Errorf("up for %.1f s, then: %s", b.Up, b.Ended)
	}
}
