package rig

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// Event is one object of `telepath view --json`, or of the browser's watch script, which says the same of a page.
type Event struct {
	Type string `json:"type"` // sample, path, gap, presence; of a browser also load (a document begins), ready, reload, error

	Device, ID, Stream, Epoch, Class string
	Seq                              uint64
	T                                float64
	Value                            json.RawMessage
	AgeMS                            *float64 `json:"age_ms"`
	AgeErrMS                         *float64 `json:"age_err_ms"`
	Late, Retained                   bool
	Past                             bool // it comes from the device's spool
	Restored                         bool // of a browser: it had this before it was reloaded

	Path, Reason string // path: a rung's name, or "" for none

	From, To uint64
	State    string

	Lines []string // of a browser, when asked: what its logs show

	OriginMS float64 `json:"origin_ms"` // of load: when the browser began to go there, ms since 1970

	AtMS float64 `json:"at_ms"` // the browser's own time of the event, ms since 1970; 0: take At
	Text string  // of a browser: what the badge says, an error

	At time.Time `json:"-"` // when it happened: the browser's time, else when the line was read
}

// String reads the value of a text sample.
func (e Event) String() string {
	var text string
	if err := json.Unmarshal(e.Value, &text); err != nil {
		return string(e.Value)
	}
	return text
}

// Watcher collects what a viewer, in a terminal or in a browser, says of a device.
type Watcher struct {
	*program.Program

	mu      sync.Mutex
	events  []Event       // guarded by mu
	bad     []string      // lines that were no event; guarded by mu
	changed chan struct{} // closed and replaced at each event; guarded by mu
	page    bool          // it is a browser's
}

// View starts `telepath view DEVICE --json`.
func (r *Rig) View(on *lab.Host, device string, args ...string) (*Watcher, error) {
	w := newWatcher()
	var err error
	w.Program, err = r.StartTelepath(on, w.line, "view", append([]string{device, "--json"}, args...)...)
	return w, err
}

func newWatcher() *Watcher { return &Watcher{changed: make(chan struct{})} }

func (w *Watcher) line(line program.Line) {
	var e Event
	err := json.Unmarshal([]byte(line.Text), &e)
	e.At = line.At
	if e.AtMS > 0 {
		e.At = time.UnixMicro(int64(e.AtMS * 1000))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.bad = append(w.bad, line.Text)
		return
	}
	w.events = append(w.events, e)
	close(w.changed)
	w.changed = make(chan struct{})
}

// Events returns a copy of all events so far; it fails if a line was none.
func (w *Watcher) Events() ([]Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.bad) > 0 {
		return nil, fmt.Errorf("not an event: %.200s", strings.Join(w.bad, "\n"))
	}
	return append([]Event(nil), w.events...), nil
}

// Mark is a position among the events: Await can look behind it only.
func (w *Watcher) Mark() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.events)
}

// MarkOf is the position behind an event that Await returned.
func (w *Watcher) MarkOf(e Event) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, known := range w.events {
		if known.Type == e.Type && known.At.Equal(e.At) {
			return i + 1
		}
	}
	return len(w.events)
}

// Await waits for an event behind a mark (0: any) and returns it. timeout is given slack.
func (w *Watcher) Await(what string, from int, timeout time.Duration, match func(Event) bool) (Event, error) {
	timeout = slack.Of(timeout)
	deadline := time.After(timeout)
	for {
		w.mu.Lock()
		fresh, changed := w.events[min(from, len(w.events)):], w.changed
		w.mu.Unlock()
		for _, e := range fresh {
			if match(e) {
				return e, nil
			}
		}
		from += len(fresh)
		select {
		case <-changed:
		case <-w.Ended():
			return Event{}, fmt.Errorf("the viewer ended before %s; it said:\n%s", what, w.Tail(20))
		case <-deadline:
			return Event{}, fmt.Errorf("no %s within %v; the viewer's last words:\n%s%s%s", what, timeout, w.paths(60), w.Tail(5), w.drawer(from))
		}
	}
}

// doing is how long what somebody does at a page may take.
const doing = 30 * time.Second

// Does has somebody do something at a page (e2e/browser/hand.mjs), and returns what is said of it before and after.
func (w *Watcher) Does(what string) (began, did Event, err error) {
	mark := w.Mark()
	if err := w.Write(what); err != nil {
		return began, did, err
	}
	says := func(kind string) func(Event) bool {
		return func(e Event) bool { return e.Type == kind && e.Text == what }
	}
	if began, err = w.Await(what, mark, doing, says("does")); err == nil {
		did, err = w.Await("the end of "+what, mark, doing, says("did"))
	}
	return began, did, err
}

// drawer is what a page's says of all paths.
func (w *Watcher) drawer(from int) string {
	if !w.page || w.Write("drawer") != nil {
		return ""
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		w.mu.Lock()
		fresh := w.events[min(from, len(w.events)):]
		w.mu.Unlock()
		for _, e := range fresh {
			if e.Type == "drawer" {
				return "the drawer says: " + e.Text
			}
		}
	}
	return "the drawer does not open"
}

// paths are the last that it named, a line each: of what it says most is samples.
func (w *Watcher) paths(most int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, e := range w.events {
		if e.Type == "path" || e.Type == "debug" {
			lines = append(lines, fmt.Sprintf("%s on %s: %s\n", e.At.Format("05.000"), cmp.Or(e.Path, "no path"), cmp.Or(e.Reason, e.Text)))
		}
	}
	return strings.Join(lines[max(0, len(lines)-most):], "")
}

// AwaitPath waits until the viewer names the rung as its path, behind a mark.
func (w *Watcher) AwaitPath(rung string, from int, timeout time.Duration) (Event, error) {
	return w.Await("path "+rung, from, timeout, func(e Event) bool { return e.Type == "path" && e.Path == rung })
}

// AwaitStanding waits until the rung that was named last is this one: on a busy machine a path may be in doubt for a moment.
func (w *Watcher) AwaitStanding(rung string, timeout time.Duration) error {
	mark := w.Mark()
	if w.standing() == rung {
		return nil
	}
	_, err := w.AwaitPath(rung, mark, timeout)
	return err
}

// standing is the rung that was named last; empty: none.
func (w *Watcher) standing() (rung string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Type == "path" {
			rung = e.Path
		}
	}
	return rung
}

// AwaitSample waits for a live sample that came on the rung ("": any), behind a mark.
func (w *Watcher) AwaitSample(rung string, from int, timeout time.Duration) (Event, error) {
	return w.Await("sample on "+rung, from, timeout, func(e Event) bool {
		return e.Type == "sample" && !e.Retained && (rung == "" || e.Path == rung)
	})
}

// AwaitLive waits until the server lists a device as live, asked from a host.
func (r *Rig) AwaitLive(on *lab.Host, name string, timeout time.Duration) error {
	for deadline := time.Now().Add(slack.Of(timeout)); ; time.Sleep(50 * time.Millisecond) {
		err := r.isLive(on, name)
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (r *Rig) isLive(on *lab.Host, name string) error {
	p, err := r.StartTelepath(on, nil, "devices", "--json")
	if err != nil {
		return err
	}
	defer p.Kill()
	if code, err := p.Wait(startTimeout); code != 0 || err != nil {
		return fmt.Errorf("telepath devices: exit %d, %v: %s", code, err, p.Tail(5))
	}
	for line := range strings.Lines(p.Output()) {
		var e Event
		if json.Unmarshal([]byte(line), &e) == nil && e.Device == name && e.State == "live" {
			return nil
		}
	}
	return fmt.Errorf("%s is not live in: %s", name, p.Output())
}
