// Package comeback kills a server that many relayed Conns hang on, starts it again, and looks how they come back: how soon
// the last one has fresh samples, how often each one tried, and how many connections at once the server had to take.
//
// The crowd is one process with a socket for each Conn, on a host of its own: to the server all of them have one address, as
// people behind one NAT have. Server and agents are the built programs.
package comeback

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// What is asked for.
const (
	Goal = 15 * time.Second // until the last Conn has a sample again that was made behind the restart
	// spare is how many new connections there may be in a second, beside one for each Conn that wants to come back.
	spare = 10
)

// The scene.
const (
	connsPerDevice = 50 // a device serves 64
	rate           = 5  // samples a second of each device
	darkness       = 2 * time.Second
	patience       = time.Minute
	port           = "8080"
)

// Result is what came of it.
type Result struct {
	Conns    int
	Back     []time.Duration // of each Conn, from when the server was ready
	Attempts []int           // of each Conn, from the kill to the link that stays
	Peak     int             // connections that the server's machine took in the second with most
	Accepted int             // in all, until the last Conn was back
	Refused  map[string]int  // what Conns were told that did not get through, while the server was there
	CPU      time.Duration   // of the server, from its start until then
	Rungs    map[string]int  // on which they are
}

// Run does it once with so many Conns.
func Run(conns int, say func(format string, args ...any)) (*Result, error) {
	dir, remove, err := tidy.Folder("telepath-comeback-")
	if err != nil {
		return nil, err
	}
	defer remove()
	w, err := newWorld(dir, conns)
	if w != nil {
		defer w.close()
	}
	if err != nil {
		return nil, err
	}
	if err := w.await(func() bool { return w.withSamples(0) == conns }); err != nil {
		return nil, fmt.Errorf("at first: %d of %d Conns have samples: %w", w.withSamples(0), conns, err)
	}
	say("%d Conns have samples", conns)
	return w.restart(say)
}

// world is a server with its devices, and a crowd at another host.
type world struct {
	*rig.Rig
	lab    *lab.Lab
	server *rig.Server
	agents []*program.Program
	crowd  *program.Program
	conns  int

	mu    sync.Mutex
	notes []note // guarded by mu
	bad   error  // guarded by mu
}

func newWorld(dir string, conns int) (w *world, err error) {
	w = &world{conns: conns}
	if w.Rig, err = rig.New(dir); err != nil {
		return nil, err
	}
	if w.lab, err = lab.New("srv", "crowd"); err != nil {
		return nil, err
	}
	if err = w.startServer(); err != nil {
		return w, err
	}
	devices := (conns + connsPerDevice - 1) / connsPerDevice
	for i := range devices {
		agent, err := w.StartDevice(w.lab.Host("srv"), deviceName(i), "--source", fmt.Sprintf("sim,rate=%d,class=live", rate))
		if err != nil {
			return w, err
		}
		w.agents = append(w.agents, agent)
		if err := w.AwaitLive(w.lab.Host("srv"), deviceName(i), patience); err != nil {
			return w, err
		}
	}
	return w, w.startCrowd(devices)
}

func (w *world) startServer() (err error) {
	srv := w.lab.Host("srv")
	// What whoever runs it would allow an address that so many people share: with 50 requests a second, of 500 Conns
	// two in five are refused once, and the last one is back after 12 s. A server that is slow to answer is asked on up to
	// three rungs at once.
	w.server, err = w.StartServer(srv, srv.Addr.String()+":"+port,
		"--max-connections-per-address", fmt.Sprint(4*w.conns), "--max-requests-per-address", fmt.Sprint(w.conns))
	return err
}

func (w *world) startCrowd(devices int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	token, err := os.ReadFile(w.Token("viewer"))
	if err != nil {
		return err
	}
	task, err := json.Marshal(order{URL: w.URL, Token: strings.TrimSpace(string(token)), Devices: devices, Conns: w.conns})
	if err != nil {
		return err
	}
	w.crowd, err = w.Start(w.lab.Host("crowd"), program.Spec{
		Name: "crowd", Args: []string{self}, Env: []string{loadVariable + "=" + string(task)}, OnLine: w.line,
	})
	return err
}

func (w *world) close() {
	if w.crowd != nil {
		w.crowd.Kill()
	}
	for _, agent := range w.agents {
		agent.Kill()
	}
	if w.server != nil {
		w.server.Kill()
	}
	_ = w.lab.Close() // a namespace that stays is seen by the next one who looks
}

func (w *world) line(line program.Line) {
	var n note
	err := json.Unmarshal([]byte(line.Text), &n)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		w.bad = fmt.Errorf("the crowd said %.200s", line.Text)
	case n.What == "end":
		w.bad = fmt.Errorf("of the crowd, Conn %d ended: %s", n.Conn, n.Why)
	}
	w.notes = append(w.notes, n)
}

// await waits until done.
func (w *world) await(done func() bool) error {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		w.mu.Lock()
		bad := w.bad
		w.mu.Unlock()
		switch {
		case bad != nil:
			return bad
		case done():
			return nil
		case time.Now().After(end):
			return fmt.Errorf("not within %v", patience)
		}
	}
}

// withSamples is how many Conns have had a sample that was made at or after a time, in µs.
func (w *world) withSamples(since int64) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	have := map[int]bool{}
	for _, n := range w.notes {
		if n.What == "sample" && n.Made >= since {
			have[n.Conn] = true
		}
	}
	return len(have)
}

// lastOfMissing is what was heard last of Conns that have had no sample since, and of how many.
func (w *world) lastOfMissing(since int64) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, back := map[int]note{}, map[int]bool{}
	for _, n := range w.notes {
		last[n.Conn] = n
		back[n.Conn] = back[n.Conn] || n.What == "sample" && n.Made >= since
	}
	count := map[string]int{}
	for conn, n := range last {
		if !back[conn] {
			count[strings.TrimSpace(n.What+" "+n.Why)]++
		}
	}
	return fmt.Sprint(count)
}

// restart kills the server, starts it again and waits until everybody is back.
func (w *world) restart(say func(format string, args ...any)) (*Result, error) {
	killed := time.Now()
	w.server.Kill()
	time.Sleep(darkness)
	counter := watchConnections(w.lab.Host("srv"))
	defer counter.stop()
	if err := w.startServer(); err != nil {
		return nil, err
	}
	ready := time.Now()
	if err := w.await(func() bool { return w.withSamples(ready.UnixMicro()) == w.conns }); err != nil {
		return nil, fmt.Errorf("%d of %d Conns came back: %w; of the others: %s", w.withSamples(ready.UnixMicro()), w.conns, err, w.lastOfMissing(ready.UnixMicro()))
	}
	r := &Result{Conns: w.conns}
	var err error
	if r.CPU, err = w.server.CPU(); err != nil {
		return nil, err
	}
	if r.Peak, r.Accepted, err = counter.stop(); err != nil {
		return nil, err
	}
	w.read(r, killed, ready)
	say("the last of %d was back after %v", w.conns, slices.Max(r.Back).Round(time.Millisecond))
	return r, nil
}

// read takes from the crowd's notes what each Conn went through.
func (w *world) read(r *Result, killed, ready time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.Attempts, r.Back = make([]int, w.conns), make([]time.Duration, w.conns)
	r.Refused, r.Rungs = map[string]int{}, map[string]int{}
	for _, n := range w.notes {
		switch {
		case n.At < killed.UnixMicro():
		case n.What == "up":
			r.Attempts[n.Conn]++
		case n.What == "down":
			w.fell(r, n, ready)
		case n.What == "sample" && n.Made >= ready.UnixMicro() && r.Back[n.Conn] == 0:
			r.Back[n.Conn] = time.UnixMicro(n.At).Sub(ready)
			r.Rungs[n.Rung]++
		}
	}
}

// fell counts a link that ended or did not come; the first one of a Conn is the kill.
func (w *world) fell(r *Result, n note, ready time.Time) {
	if strings.Contains(n.Why, "refused") || n.At >= ready.UnixMicro() {
		r.Attempts[n.Conn]++
	}
	if n.At >= ready.UnixMicro() {
		why, _, _ := strings.Cut(n.Why, ":")
		r.Refused[why]++
	}
}

// Judge says what is wrong, if anything is.
func (r *Result) Judge() error {
	var errs []error
	if last, most := slices.Max(r.Back), slack.Of(Goal); last > most {
		errs = append(errs, fmt.Errorf("the last Conn was back after %v, want at most %v", last.Round(time.Millisecond), most))
	}
	if most := int(slack.Of(time.Duration(r.Conns + spare))); r.Peak > most { // who waits for an answer asks on the next rung
		errs = append(errs, fmt.Errorf("%d connections came in one second, want at most %d", r.Peak, most))
	}
	for rung, n := range r.Rungs {
		if !slices.Contains(relayed, rung) {
			errs = append(errs, fmt.Errorf("%d Conns are on %s", n, rung))
		}
	}
	return errors.Join(errs...)
}
