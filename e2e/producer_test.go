package e2e

import (
	"testing"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

const logStream = rig.LogStream

var isNumber = rig.IsNumber

func startProducer(t *testing.T, device *program.Program, run int) *rig.Producer {
	t.Helper()
	p := rig.StartProducer(device, run)
	t.Cleanup(p.Stop)
	return p
}

// declareLog makes the stream known before anybody asks for it, so that a viewer stands at its head when the first event comes.
func declareLog(t *testing.T, device *program.Program) {
	t.Helper()
	must(t, rig.DeclareLog(device))
}

// settle ends the production, waits until the last event has arrived and closes the book on all events from `from` on.
func settle(t *testing.T, p *rig.Producer, w *rig.Watcher, from uint64) ledger.Verdict {
	t.Helper()
	verdict, err := p.Settle(w, from)
	if err != nil {
		t.Error(err)
	}
	return verdict
}
