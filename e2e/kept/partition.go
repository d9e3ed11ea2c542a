package kept

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// The goals of a partition.
const (
	LiveAgain = time.Second           // from the return to a live sample that was made behind it
	Complete  = 5 * time.Minute       // from the return until everything that was made meanwhile is there
	Behind    = 50 * time.Millisecond // p99 of live samples' age while the backlog comes, above what it was before
)

// The scene: so many streams of class Live, and one of class Event beside them, over a link of a mobile network's length.
const (
	Streams    = 10
	every      = 10 * time.Millisecond // between two samples of a stream
	eventEvery = 10                    // of these
	partedLink = "delay=25ms"
	longIdle   = 30 * time.Second // at most, for the age without a backlog
	settled    = time.Second      // behind the return, from when on ages count
)

// Partition is what came of one.
type Partition struct {
	Length   time.Duration
	Live     time.Duration // from the return to a live sample
	Complete time.Duration // from the return until there was no hole any more
	Backlog  uint64        // samples that were made while the two were parted
	Idle     time.Duration // p99 of live samples' age before it
	During   time.Duration // while the backlog came; -1: it took less than a second
	Before   string        // the rung that carried
	Verdict  ledger.Verdict
	Missed   int // live samples of other times than the partition that were too late or lost on the way, which is the class's own business

	first, last uint64 // numbers that were made while the two were parted
}

// Judge says what is wrong, if anything is.
func (p *Partition) Judge() error {
	var errs []error
	if !p.Verdict.OK() {
		errs = append(errs, errors.New(p.Verdict.String()))
	}
	if p.Verdict.InGaps > 0 {
		errs = append(errs, fmt.Errorf("%d are declared missing, and the spool had room for all", p.Verdict.InGaps))
	}
	if most := slack.Of(LiveAgain); p.Live > most {
		errs = append(errs, fmt.Errorf("live %v after the return, want at most %v", p.Live, most))
	}
	if p.Complete > Complete {
		errs = append(errs, fmt.Errorf("complete %v after the return, want at most %v", p.Complete, Complete))
	}
	if most := p.Idle + slack.Of(Behind); p.During > most {
		errs = append(errs, fmt.Errorf("live samples were %v old (p99) while the backlog came, want at most %v", p.During, most))
	}
	return errors.Join(errs...)
}

// Part parts a device from its server and viewer for so long.
func Part(length time.Duration, say Say) (*Partition, error) {
	dir, remove, err := tidy.Folder("telepath-kept-")
	if err != nil {
		return nil, err
	}
	defer remove()
	w, err := newParted(dir)
	if w != nil {
		defer w.close()
	}
	if err != nil {
		return nil, err
	}
	return w.part(length, say)
}

// parted is a device at one end of a link, a server and a viewer at the other.
type parted struct {
	*rig.Rig
	far    *rig.FarLink
	server *rig.Server
	agent  *program.Program
	viewer *receiver
	source *steady
}

func newParted(dir string) (w *parted, err error) {
	w = &parted{}
	if w.Rig, err = rig.New(dir); err != nil {
		return nil, err
	}
	if w.far, err = rig.NewFarLink(dir, partedLink); err != nil {
		return nil, err
	}
	if w.server, err = w.StartServer(w.far.There, w.far.There.Addr.String()+":8080"); err != nil {
		return w, err
	}
	if w.agent, err = w.StartDevice(w.far.Here, device, "--source", "stdin"); err != nil {
		return w, err
	}
	if err = w.AwaitLive(w.far.There, device, starting); err != nil {
		return w, err
	}
	if err = rig.DeclareLog(w.agent); err != nil { // Events are judged in order: the viewer is to stand at their head
		return w, err
	}
	w.viewer, err = view(func(onOutput func(time.Time, []byte)) (*program.Program, error) {
		return w.StartTelepathRaw(w.far.There, onOutput, "view", device, "--json", "--since", "1h")
	})
	return w, err
}

func (w *parted) close() {
	if w.source != nil {
		w.source.end()
	}
	if w.viewer != nil {
		w.viewer.Kill()
	}
	if w.agent != nil {
		w.agent.Kill()
	}
	if w.server != nil {
		w.server.Kill()
	}
	w.far.Close()
}

func (w *parted) part(length time.Duration, say Say) (*Partition, error) {
	p := &Partition{Length: length, During: -1}
	if err := until("direct path", starting, func() bool { return w.viewer.rung() == "udp" }); err != nil {
		return nil, err
	}
	w.source = startSteady(w.agent)
	time.Sleep(2 * time.Second)
	p.Before = w.viewer.rung()
	idle := time.Now()
	time.Sleep(min(length, longIdle))
	p.Idle = w.viewer.p99(idle, time.Now())
	if _, err := w.far.Do("both down"); err != nil {
		return nil, err
	}
	p.first = w.source.count() + 1
	w.viewer.countFrom(p.first - 1)
	time.Sleep(length)
	if _, err := w.far.Do("both up"); err != nil {
		return nil, err
	}
	returned := time.Now()
	p.last = w.source.count()
	p.Backlog = Streams * (p.last + 1 - p.first)
	say("parted for %v: %d samples wait; p99 of the age before %v", length, p.Backlog, p.Idle)
	return p, w.comeBack(p, returned, say)
}

// comeBack measures from the return on.
func (w *parted) comeBack(p *Partition, returned time.Time, say Say) error {
	var fresh arrival
	err := until("live sample", 2*time.Minute, func() (ok bool) {
		fresh, ok = w.viewer.any(liveName(0), func(a arrival) bool { return !a.past && a.made >= float64(returned.UnixMicro())/1e6 })
		return ok
	})
	if err != nil {
		return err
	}
	p.Live = time.UnixMicro(fresh.at).Sub(returned)
	say("live after %v", p.Live)
	w.viewer.read.hold(true)
	_ = until("end of it", Complete+time.Minute, func() bool { return w.viewer.read.came(p.Backlog) })
	w.viewer.read.hold(false)
	err = until("whole backlog", Complete+time.Minute, func() bool { return w.viewer.least(1) >= p.last })
	p.Complete = w.viewer.lastOf(p.first, p.last).Sub(returned)
	if from := returned.Add(settled); err == nil && p.Complete > 2*settled {
		p.During = w.viewer.p99(from, returned.Add(p.Complete))
	}
	say("complete after %v, p99 of the age meanwhile %v", p.Complete, p.During)
	time.Sleep(time.Second)
	return errors.Join(err, w.settle(p))
}

// settle closes the books of all streams.
func (w *parted) settle(p *Partition) error {
	w.source.end()
	last := w.source.count()
	_ = until("end", 30*time.Second, func() bool { return w.viewer.whole(rig.LogStream, 1) >= last/eventEvery }) // what is missing the book tells
	time.Sleep(time.Second)                                                                                      // for duplicates that should not come
	for i := range Streams + 1 {
		name, made, strict := liveName(i), last, false
		if i == Streams {
			name, made, strict = rig.LogStream, last/eventEvery, true
		}
		var book ledger.Book
		for n := uint64(1); n <= made; n++ {
			sent := ledger.Sent{Run: 1, Number: n}
			if parted := n >= p.first && n <= p.last; strict || parted || w.viewer.has(name, sent) {
				book.Send(sent)
			} else {
				p.Missed++
			}
		}
		if err := w.viewer.enter(&book, name, i == Streams); err != nil {
			return err
		}
		add(&p.Verdict, book.Close())
	}
	return nil
}

// add sums up.
func add(sum *ledger.Verdict, v ledger.Verdict) {
	sum.Sent, sum.Delivered, sum.Lost, sum.InGaps = sum.Sent+v.Sent, sum.Delivered+v.Delivered, sum.Lost+v.Lost, sum.InGaps+v.InGaps
	sum.Twice, sum.Phantom, sum.Disorder = sum.Twice+v.Twice, sum.Phantom+v.Phantom, sum.Disorder+v.Disorder
	sum.Harmed, sum.FalseGaps = sum.Harmed+v.Harmed, sum.FalseGaps+v.FalseGaps
	sum.Faults = append(sum.Faults, v.Faults...)
}

func liveName(i int) string { return "live-" + strconv.Itoa(i) }

// rung is the one that was named last.
func (v *receiver) rung() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.paths) == 0 {
		return ""
	}
	return v.paths[len(v.paths)-1]
}

// least is up to where everything came of all live streams.
func (v *receiver) least(run int) uint64 {
	least := v.whole(liveName(0), run)
	for i := range Streams {
		least = min(least, v.whole(liveName(i), run))
	}
	return least
}

// lastOf is when the last of the live streams' entries of such numbers came.
func (v *receiver) lastOf(first, last uint64) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	var at int64
	for i := range Streams {
		for _, a := range v.streamLocked(liveName(i)).arrivals {
			if a.sent.Number >= first && a.sent.Number <= last {
				at = max(at, a.at)
			}
		}
	}
	return time.UnixMicro(at)
}

// p99 of the age of live samples that came between two times, by this machine's clock, which is the device's as well.
func (v *receiver) p99(from, to time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	var ages []time.Duration
	for i := range Streams {
		s := v.streams[liveName(i)]
		if s == nil {
			continue
		}
		for _, a := range s.arrivals {
			if at := time.UnixMicro(a.at); !a.past && at.After(from) && at.Before(to) {
				ages = append(ages, at.Sub(time.UnixMicro(int64(a.made*1e6))))
			}
		}
	}
	if len(ages) == 0 {
		return 0
	}
	slices.Sort(ages)
	return ages[len(ages)*99/100].Round(100 * time.Microsecond)
}
