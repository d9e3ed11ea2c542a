// Package pole has a program balance the pole of a simulated machine over an emulated link, and says how long it stood. Machine and
// server are at one end of the link, the program, e2e/balance, is at the other.
package pole

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Trial is what is tried.
type Trial struct {
	Link string        // conditions each way, as e2e/linkem takes them
	Seed uint64        // of what gets lost
	Only string        // rungs that the program keeps to, separated by commas; empty: all
	Path string        // rung that carries when it begins
	For  time.Duration // how long the pole is to stand
}

// Result is what the program says in the end.
type Result struct {
	Up     float64 `json:"up_s"`  // that the pole stood
	Ended  string  `json:"ended"` // why no longer
	Path   string  `json:"path"`  // at the end
	Forces int     `json:"forces"`
	AgeP50 float64 `json:"age_ms_p50"` // of what a force answers, when it acts
	AgeP99 float64 `json:"age_ms_p99"`
}

// Stood says whether the pole stood as long as it was to.
func (t Trial) Stood(r *Result) bool { return r.Up >= t.For.Seconds() }

const (
	starting = 20 * time.Second // of server and machine
	lifting  = 60 * time.Second // until there is the path, and the pole stands
)

// Bench holds the programs, built once. Several trials may run at the same time.
type Bench struct {
	dir    string
	remove func()
}

// NewBench builds them. Whoever has one closes it.
func NewBench() (*Bench, error) {
	dir, remove, err := tidy.Folder("telepath-pole-")
	if err != nil {
		return nil, err
	}
	b := &Bench{dir, remove}
	for _, name := range []string{"balance", "linkem"} { // the latter is looked for there by rig
		if err := program.Build(filepath.Join(dir, name), name); err != nil {
			b.Close()
			return nil, err
		}
	}
	return b, nil
}

// Close removes them.
func (b *Bench) Close() { b.remove() }

// Run tries. The error is why nothing can be said of it.
func (b *Bench) Run(t Trial) (*Result, error) {
	dir, err := os.MkdirTemp(b.dir, "trial-")
	if err != nil {
		return nil, err
	}
	w, err := rig.New(dir)
	if err != nil {
		return nil, err
	}
	far, err := rig.NewFarLink(b.dir, t.Link, "-seed", fmt.Sprint(t.Seed))
	if err != nil {
		return nil, err
	}
	defer far.Close()
	server, err := w.StartServer(far.There, far.There.Addr.String()+":8080")
	if err != nil {
		return nil, err
	}
	defer server.Kill()
	machine, err := w.StartDevice(far.There, "machine", "--source", "machine")
	if err != nil {
		return nil, err
	}
	defer machine.Kill()
	if err := w.AwaitLive(far.There, "machine", starting); err != nil {
		return nil, err
	}
	args := []string{filepath.Join(b.dir, "balance"), "-server", w.URL, "-token-file", w.Token("operator"), "-path", t.Path, "-only", t.Only, "-for", t.For.String()}
	p, err := w.Start(far.Here, program.Spec{Name: "balance", Args: args})
	if err != nil {
		return nil, err
	}
	defer p.Kill()
	r, err := heard(p, t.For+lifting)
	if err != nil {
		logs, kept := rig.KeepLogs(server.Program, machine, p)
		return nil, errors.Join(fmt.Errorf("%w; what the programs said is in %s", err, logs), kept)
	}
	return r, nil
}

// said is the program's last word.
var said = regexp.MustCompile(`^\{"up_s".*`)

func heard(p *program.Program, within time.Duration) (*Result, error) {
	found, err := p.WaitFor(said, within)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	if err := json.Unmarshal([]byte(found[0]), r); err != nil {
		return nil, fmt.Errorf("balance said %q: %w", found[0], err)
	}
	return r, nil
}
