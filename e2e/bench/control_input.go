package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// What somebody does at a page, in bursts: a hand that the page lost is back in the next one.
const (
	inputBursts = 3  // a round
	inputBurst  = 40 // inputs each
	inputEvery  = 60 * time.Millisecond
)

// byHand is a way to drive: what has to be done at the page first, how it begins, what its inputs are, how it ends. They move steeredAxis.
type byHand struct {
	name              string
	before            []string
	hold, does, letGo string
}

var byHands = []byHand{
	{name: "keys", hold: "key down ArrowUp", does: "presses", letGo: "key up ArrowUp"},
	{name: "thumb", before: []string{"phone 360 740", "key press c"}, hold: "touch down 0 0.3", does: "thumb", letGo: "touch up"},
}

// burst is the verb for all of its inputs.
func (h byHand) burst() string {
	return fmt.Sprintf("%s %d %d", h.does, inputBurst, inputEvery.Milliseconds())
}

// The axes of the machine that is driven: one shows that the hand is obeyed, the other one answers its inputs.
const (
	heldAxis    = "speed"
	steeredAxis = "steer"

	drivenConfig = `name: rover
stdout:
  axes:
    - {name: speed, min: -1, max: 1}
    - {name: steer, min: -1, max: 1}
`
)

// inputs are those of one hand, of all rounds.
type inputs struct {
	name    string
	took    []float64 // from the browser's event to the line at the actuator, in ms
	page    []float64 // of that until the page was called, in ms
	without int       // inputs of which nothing came
	clocks  float64   // by how many ms the browser's clock of events and the machine's were apart, at most
}

// measureInputs has somebody drive at a page in Chromium.
func measureInputs(at site, into []*inputs) error {
	d, err := startDriven(at)
	if err != nil {
		return err
	}
	defer d.close()
	for i, hand := range byHands {
		if err := doAll(d.page, hand.before...); err != nil {
			return err
		}
		for range inputBursts {
			if err := d.burst(hand, at.beside, into[i]); err != nil {
				return fmt.Errorf("%s: %w", into[i].name, err)
			}
		}
	}
	return nil
}

// driven is a device whose actuator is the bench itself, behind the agent's standard output, and a page that has control of it.
type driven struct {
	page   *rig.Watcher
	ledger ledger
	end    func()
}

func (d *driven) close() {
	if d.page != nil {
		d.page.Kill()
	}
	d.end()
}

func startDriven(at site) (d *driven, err error) {
	d = &driven{end: func() {}}
	defer func() {
		if err != nil {
			d.close()
			d = nil
		}
	}()
	config, err := os.CreateTemp("", "telepath-bench-*.yaml")
	if err != nil {
		return d, err
	}
	defer os.Remove(config.Name())
	_, err = config.WriteString(drivenConfig)
	if err = errors.Join(err, config.Close()); err != nil {
		return d, err
	}
	r, server, end, err := at.serve("rover", d.ledger.line, "--control", config.Name())
	d.end = end
	if err != nil {
		return d, err
	}
	if d.page, err = r.BrowseReady(at.here, server.LoginURL, "rover", "--hands"); err != nil {
		return d, err
	}
	if _, err := d.page.AwaitPath("udp", 0, 30*time.Second); err != nil {
		return d, err
	}
	_, _, err = d.page.Does("click Take control")
	time.Sleep(settling)
	return d, err
}

// settling is for a page that has just come: for a second it is sent what is live on both paths, and draws all for the first time.
// What is measured is a hand at one that is there.
const settling = 2 * time.Second

// tries is how often a hand begins until it is obeyed: on a busy machine the page lets go by itself.
const tries = 5

// burst is a hand that comes, does its inputs, and goes.
func (d *driven) burst(hand byHand, beside bool, into *inputs) error {
	if err := d.hold(hand); err != nil {
		return err
	}
	mark := d.ledger.mark()
	_, did, err := d.page.Does(hand.burst())
	if err != nil {
		return err
	}
	time.Sleep(inputEvery) // the last one's line comes
	set := d.ledger.since(mark, steeredAxis)
	if _, _, err := d.page.Does(hand.letGo); err != nil {
		return err
	}
	return into.add(did.Value, set, beside)
}

func (d *driven) hold(hand byHand) error {
	for range tries {
		mark := d.ledger.mark()
		if _, _, err := d.page.Does(hand.hold); err != nil {
			return err
		}
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if len(d.ledger.since(mark, heldAxis)) > 0 {
				return nil
			}
		}
		if _, _, err := d.page.Does(hand.letGo); err != nil {
			return err
		}
	}
	return errors.New("the device does not obey the page's hand")
}

// add enters a burst: what the page says of its inputs, and what the actuator was told meanwhile.
func (in *inputs) add(said json.RawMessage, set []setting, beside bool) error {
	asked, err := in.read(said)
	if err != nil {
		return err
	}
	for i, came := range answers(asked, set) {
		this := asked[i]
		switch {
		case beside && !amidPast(asked, i): // the history had come, or had not begun to
		case came == 0:
			in.without++
		default:
			in.took = append(in.took, came-this.At)
			in.page = append(in.page, this.Seen-this.At)
		}
	}
	return nil
}

// read is what the page says of its inputs.
func (in *inputs) read(said json.RawMessage) ([]input, error) {
	var did struct {
		Behind float64
		Inputs []input
	}
	if err := json.Unmarshal(said, &did); err != nil {
		return nil, fmt.Errorf("what the page says of its inputs: %w", err)
	}
	in.clocks = max(in.clocks, did.Behind, -did.Behind)
	return did.Inputs, nil
}

// amidPast reports whether something of the past had come with the inputs before this one, or behind it, and more came later.
func amidPast(all []input, i int) bool {
	return all[min(i+1, len(all)-1)].Past > all[0].Past && all[len(all)-1].Past > all[i].Past
}

// input is one as the page noted it.
type input struct {
	At, Seen float64 // ms since 1970: when it was, by the browser, and when the page was called with it
	Past     int     // samples of the device's spool that had come by then
	Value    float64 // where it sends the axis
}

// setting is a line that sets the axis.
type setting struct{ at, value float64 } // at: ms since 1970

// sameValue is by how much a value that was asked for and the one that was set may differ.
const sameValue = 1e-3

// answers says when each input was obeyed, in ms since 1970: at the first line that sets what it asked for, not before what answers the one before it, nor
// after the one behind the next, which may ask for the same. 0: it never was, since a newer one took its place, or there was no hand.
func answers(asked []input, set []setting) []float64 {
	came := make([]float64, len(asked))
	for i, this := range asked {
		for n, line := range set {
			if i+2 < len(asked) && line.at >= asked[i+2].At {
				break
			}
			if line.at >= this.At && line.value > this.Value-sameValue && line.value < this.Value+sameValue {
				came[i], set = line.at, set[n+1:]
				break
			}
		}
	}
	return came
}

// ledger is what the program behind the agent's standard output was told, and when.
type ledger struct {
	mu    sync.Mutex
	lines []ledgerLine // guarded by mu
}

type ledgerLine struct {
	at  time.Time
	set map[string]float64
}

func (l *ledger) line(line program.Line) {
	var told struct{ Set map[string]float64 }
	if json.Unmarshal([]byte(line.Text), &told) != nil || told.Set == nil {
		return // everything is to be safe
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, ledgerLine{line.At, told.Set})
}

// mark is a position among the lines.
func (l *ledger) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}

// since are the lines behind a mark that set an axis.
func (l *ledger) since(mark int, axis string) (all []setting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines[mark:] {
		if value, sets := line.set[axis]; sets {
			all = append(all, setting{float64(line.at.UnixMicro()) / 1000, value})
		}
	}
	return all
}
