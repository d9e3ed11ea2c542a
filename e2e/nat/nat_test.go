package nat

import (
	"os"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// counted is how long events flow in a cell here.
const counted = 6 * time.Second

func skipUnlessAsked(t *testing.T) {
	t.Helper()
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("end-to-end tests start the built programs in network namespaces: run `make test-nat` as root")
	}
	must(t, lab.Missing())
}

func TestPairs(t *testing.T) {
	skipUnlessAsked(t)
	if err := rig.WarmUpChromium(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	grid := NewGrid(counted)
	for _, viewer := range Viewers {
		for _, pair := range Shown(viewer) {
			t.Run(viewer+"/"+pair.String(), func(t *testing.T) {
				t.Parallel()
				r := grid.Run(Cell{pair, viewer})
				t.Logf("try %d: first sample after %v on %s, %s after %v; %v", r.Tries, r.First.Round(time.Millisecond), r.FirstRung, r.Rung, r.Reached.Round(time.Millisecond), r.Verdict)
				if err := r.Judge(); err != nil {
					t.Errorf("%v\n%s", err, r.Said)
				}
			})
		}
	}
}
