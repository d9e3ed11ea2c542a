package switches

import (
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

const (
	device      = "board"
	liveRate    = 50                     // samples a second of the stream that freshness is read from
	eventsEvery = 100 * time.Millisecond // so few that a page keeps all of a run (5,000)
	starting    = 30 * time.Second
)

// verbose has a program say what is of use only where something failed.
var verbose = []string{"--log-level", "debug"}

// world is a server and a device near one another, and a viewer far away; or the viewer near, and the device far away.
type world struct {
	*rig.Rig
	kind   Kind
	far    *rig.FarLink
	home   *lab.Home // behind far.Here; nil: none
	server *rig.Server
	killed *rig.Server // the one before; nil: none
	agent  *program.Program
	proxy  *rig.Squid // nil: none
	viewer *rig.Watcher
	life   int // where the present life of the viewer begins among its events

	producer *rig.Producer
	runs     int // starts of the agent
	book     ledger.Book
}

// newWorld builds it; what it returns beside an error is to be closed, too.
func newWorld(dir string, kind Kind) (w *world, err error) {
	w = &world{kind: kind}
	if w.Rig, err = rig.New(dir); err != nil {
		return nil, err
	}
	if w.far, err = rig.NewFarLink(dir, link); err != nil {
		return nil, err
	}
	if kind.home != "" {
		if w.home, err = lab.NewHome(w.far.Here, w.far.Here.NS+"-home", lab.PortRestricted); err != nil {
			return w, err
		}
	}
	if err = w.startServer(); err != nil {
		return w, err
	}
	if err = w.startAgent(); err != nil {
		return w, err
	}
	if w.viewer, err = kind.watch(w); err != nil {
		return w, err
	}
	_, err = w.viewer.AwaitSample(kind.ready, 0, starting)
	return w, err
}

// begin opens the book. Only then are events made: a page keeps 5,000 of them.
func (w *world) begin() error {
	w.startProducer()
	_, err := w.viewer.Await("the first event", 0, starting, rig.IsNumber(1))
	return err
}

// programs are those whose words may tell why something failed.
func (w *world) programs() (all []*program.Program) {
	for _, s := range []*rig.Server{w.killed, w.server} {
		if s != nil {
			all = append(all, s.Program)
		}
	}
	if w.agent != nil {
		all = append(all, w.agent)
	}
	if w.viewer != nil {
		all = append(all, w.viewer.Program)
	}
	return all
}

func (w *world) close() {
	if w.producer != nil {
		w.producer.Stop()
	}
	if w.viewer != nil {
		w.viewer.Kill()
	}
	if w.proxy != nil {
		w.proxy.Kill()
	}
	if w.agent != nil {
		w.agent.Kill()
	}
	if w.server != nil {
		w.server.Kill()
	}
	if w.home != nil {
		_ = w.home.Close() // the hosts of the link go with it; what is left is seen by whoever lists namespaces
	}
	w.far.Close()
}

// viewAt and deviceAt are where the two ends run.
func (w *world) viewAt() *lab.Host {
	switch w.kind.home {
	case "viewer":
		return w.home.Host
	case "device":
		return w.far.There
	}
	return w.far.Here
}

func (w *world) deviceAt() *lab.Host {
	if w.kind.home == "device" {
		return w.home.Host
	}
	return w.far.There
}

func (w *world) startServer() (err error) {
	w.killed = w.server
	w.server, err = w.StartServer(w.far.There, w.far.There.Addr.String()+":8080", verbose...)
	return err
}

func (w *world) startAgent() (err error) {
	w.runs++
	w.agent, err = w.StartDevice(w.deviceAt(), device, append(verbose, "--source", "stdin", "--source", fmt.Sprintf("sim,rate=%d", liveRate))...)
	if err != nil {
		return err
	}
	if err = rig.DeclareLog(w.agent); err != nil {
		return err
	}
	return w.AwaitLive(w.far.There, device, starting)
}

func (w *world) startProducer() { w.producer = rig.ProduceEvery(w.agent, w.runs, eventsEvery) }

// stopProducer enters what was made in this run of the agent.
func (w *world) stopProducer() {
	w.producer.Stop()
	for n := range w.producer.Count() {
		w.book.Send(ledger.Sent{Run: w.runs, Number: n + 1})
	}
}

// settle closes the book.
func (w *world) settle() (ledger.Verdict, error) {
	w.stopProducer()
	_, missing := w.viewer.Await("the last event", w.life, starting, func(e rig.Event) bool {
		entry, err := ledger.Parse(e.String())
		return err == nil && e.Stream == rig.LogStream && entry == ledger.Sent{Run: w.runs, Number: w.producer.Count()}
	})
	time.Sleep(time.Second) // for duplicates that should not come
	if err := w.viewer.Enter(&w.book, 1, w.life); err != nil {
		return ledger.Verdict{}, err
	}
	return w.book.Close(), missing
}

func isFresh(e rig.Event) bool { return e.Class == "live" && !e.Retained && !e.Restored }

// awaitMade waits for a live sample that was made at or after a time, and returns how long afterwards it came.
func (w *world) awaitMade(when time.Time, mark int) (time.Duration, error) {
	e, err := w.viewer.Await("a fresh sample", mark, starting, func(e rig.Event) bool {
		return e.Type == "sample" && isFresh(e) && e.T >= float64(when.UnixMicro())/1e6
	})
	return e.At.Sub(when), err
}

// awaitRung waits for a live sample, made at or after a time, that came on a rung.
func (w *world) awaitRung(rung string, when time.Time, mark int) (time.Duration, error) {
	e, err := w.viewer.Await("a sample on "+rung, mark, climbBack+starting, func(e rig.Event) bool {
		return e.Type == "sample" && isFresh(e) && e.Path == rung && e.T >= float64(when.UnixMicro())/1e6
	})
	return e.At.Sub(when), err
}

// explain tells what the viewer was told beside samples, and the first and last events of each epoch.
func (w *world) explain(say func(format string, args ...any)) {
	events, err := w.viewer.Events()
	if err != nil {
		say("%v", err)
		return
	}
	for i, e := range events {
		edge := e.Type == "sample" && e.Stream == rig.LogStream && (e.Retained || e.Seq <= 3)
		if edge || e.Type != "sample" {
			say("%d %s %s %s %s:%d %s %q retained=%v gap=%d-%d", i, e.At.Format("05.000"), e.Type, e.State+e.Stream, e.Epoch, e.Seq, e.Path, e.Reason, e.Retained, e.From, e.To)
		}
	}
}
