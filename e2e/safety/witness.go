package safety

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
)

// A witness is a program that comes before all others on a processor, and tells when it did not run for a while: then nothing ran
// there, since the machine, a virtual one perhaps, had no processor itself.

// witnessVariable tells a program that it is to be a witness.
const witnessVariable = "TELEPATH_WITNESS"

const (
	// witnessEvery is how often a witness looks at the clock.
	witnessEvery = 5 * time.Millisecond
	// stoodStill is from when on it tells.
	stoodStill = 50 * time.Millisecond
)

// witness never returns.
func witness() {
	out := json.NewEncoder(os.Stdout)
	for last := time.Now(); ; {
		time.Sleep(witnessEvery)
		now := time.Now()
		if gap := now.Sub(last); gap >= stoodStill {
			_ = out.Encode(said{Type: "paused", At: now.UnixMicro(), MS: gap.Milliseconds()}) // who does not read it is gone
		}
		last = now
	}
}

// startWitnesses starts one on each processor; on a machine without chrt and taskset (util-linux), none.
func (w *world) startWitnesses() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range []string{"chrt", "taskset"} {
		if _, err := exec.LookPath(name); err != nil {
			return nil
		}
	}
	for processor := range runtime.NumCPU() {
		p := &watched{}
		p.Program, err = w.Start(w.srv, program.Spec{
			Name: fmt.Sprint("witness ", processor), OnLine: p.line, Env: []string{witnessVariable + "=1"},
			Args: []string{"taskset", "-c", strconv.Itoa(processor), "chrt", "--rr", "50", self},
		})
		if err != nil {
			return err
		}
		w.witnesses = append(w.witnesses, p)
	}
	return nil
}

// stood is for how long the machine stood still at worst since a time.
func (w *world) stood(since time.Time) (worst time.Duration) {
	for _, p := range w.witnesses {
		worst = max(worst, p.paused(since))
	}
	return worst
}
