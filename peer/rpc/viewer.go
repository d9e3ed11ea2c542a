package rpc

import (
	"fmt"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// maxOperates is how often a device is asked what it offers: one that does not answer is of an earlier version, or may not be asked.
	maxOperates = 8
	// arming is how often the machine is asked for while a hand waits for the device to obey: the word that it does may have been lost.
	arming = 300 * time.Millisecond
	// retakeTime is for how long a lease that was ours is taken again: a device keeps one that is not renewed no longer, and who gave
	// up waiting for it must not get it one day.
	retakeTime = 5 * time.Second
)

// Unanswered is the code of a device that says nothing to what it is asked.
const Unanswered = "unanswered"

// ViewerConfig says who asks.
type ViewerConfig struct {
	Key   string        // a secret that this device alone is told, see KeyFor: who has it has the lease that was taken with it
	Name  string        // what others are shown, 1 … MaxName bytes
	First uint64        // the first Drive's number is above it: wall clock ms, say, so that they rise over a restart
	NewID func() string // makes UUIDs
}

// StopInfo is how the stop stands.
type StopInfo struct {
	Stopped   bool
	By        string
	Since     uint64 // µs, the device's wall clock
	Took      time.Duration
	Sending   string        // Stop or Reset: not answered yet
	RoundTrip time.Duration // of what was answered last
	Code      string        // why a reset was refused
	Reason    string
}

// Saying is a command to be sent.
type Saying struct {
	Body       []byte
	Everywhere bool // on every path there is
}

// Decision is what to do now.
type Decision struct {
	Say     []Saying
	Drive   *wire.Drive   // nil: none
	Calls   []CallInfo    // those that have changed
	Changed bool          // Machine, Lease, Stop or Ready has
	Wake    time.Duration // call Step again then, at the latest
}

// Viewer is the viewer's half of control (section 10): what is said until it is answered, the lease, the stop, the hand. It is
// handed what came and `now`, and Step answers what to do. It is not safe for concurrent use.
//
// Call Step after everything else, and at Wake.
type Viewer struct {
	cfg       ViewerConfig
	role      string // of the token; "": not known
	path      bool
	roundTrip time.Duration

	ticks   ticks
	repeats repeats
	calls   calls
	lease   lease
	driver  driver

	machine   *Machine
	described uint32 // the run of the device's program that told what it is
	refused   string // why there is no machine
	stop      StopInfo
	order     map[string]moment // by type of Outcome: the newest that was taken
	retake    time.Duration     // until then the lease is taken again: it was ours before the device began anew
	armAt     time.Duration
	changed   bool
	answers   []Saying // to what came, to be said once
}

// moment orders the Outcomes of a type.
type moment struct {
	epoch uint32
	at    uint64
}

// NewViewer makes the half of a Conn that has not joined yet.
func NewViewer(cfg ViewerConfig) *Viewer {
	v := &Viewer{cfg: cfg, order: map[string]moment{}}
	v.calls = calls{repeats: &v.repeats, ticks: &v.ticks}
	v.lease = lease{key: cfg.Key, name: cfg.Name, repeats: &v.repeats, ticks: &v.ticks}
	v.driver.seq = cfg.First
	return v
}

// SetKey says which key it is, once the device is known.
func (v *Viewer) SetKey(key string) { v.lease.key = key }

// Machine is what can be done with the device; nil: nothing is known, or there is none, and code says why.
func (v *Viewer) Machine() (m *Machine, code string) { return v.machine, v.refused }

// Lease is who holds the lease.
func (v *Viewer) Lease() LeaseInfo { return v.lease.info }

// LeaseAsked reports whether something that was asked for is not answered yet.
func (v *Viewer) LeaseAsked() bool { return v.lease.asked != "" }

// Stop is how the stop stands.
func (v *Viewer) Stop() StopInfo { return v.stop }

// Call is what is known of a call.
func (v *Viewer) Call(id string) (info CallInfo, known bool) {
	if c := v.calls.find(id); c != nil {
		return c.CallInfo, true
	}
	return CallInfo{}, false
}

// Ready reports whether commands can be given a deadline: a tick has come.
func (v *Viewer) Ready() bool { return v.ticks.known() }

// TickAge is how long ago the newest tick came; only of one that is Ready.
func (v *Viewer) TickAge(now time.Duration) time.Duration { return now - v.ticks.came }

// Driving is how it stands with the hand.
func (v *Viewer) Driving(now time.Duration) Driving {
	if !v.driver.may(now, v.around()) {
		return NoHand
	}
	return v.driver.state
}

// SetRole notes the role of the token that we are let in with. Who may not command is told so here: the server drops what he says.
func (v *Viewer) SetRole(role string) {
	v.role = role
	if role == "" || MayOperate(role) {
		return
	}
	v.noMachine(CodeRole)
	if v.stop.Sending != "" { // it was said before anybody knew
		v.repeats.answered(v.stop.Sending)
		v.stop.Sending, v.stop.Code, v.stop.Reason = "", CodeRole, mayNotReason
		v.changed = true
	}
}

// SetPath notes whether there is a path to the device, and its round trip; 0: not measured.
func (v *Viewer) SetPath(ok bool, roundTrip time.Duration) { v.path, v.roundTrip = ok, roundTrip }

// Joined: the device has accepted us, on a new link or in a new session. It is told again what we want of it.
func (v *Viewer) Joined(now time.Duration) {
	if v.mayNot() {
		return
	}
	v.operate(now)
	v.wantBack(now)
}

func (v *Viewer) wantBack(now time.Duration) {
	if v.lease.info.Mine {
		v.retake = now + retakeTime
	}
}

func (v *Viewer) mayNot() bool { return v.role != "" && !MayOperate(v.role) }

func (v *Viewer) operate(now time.Duration) {
	v.repeats.add(now, Operate, Command{Type: Operate, On: true}, never)
}

// Tick takes what the device's clock showed.
func (v *Viewer) Tick(now time.Duration, t wire.Tick) {
	before := v.ticks.known()
	if v.ticks.heard(now, t) {
		v.wantBack(now)
	}
	v.changed = v.changed || before != v.ticks.known()
	if now < v.retake && v.machine != nil {
		v.LeaseDo(now, Take, "")
	}
}

// Outcome takes an Outcome frame's body.
func (v *Viewer) Outcome(now time.Duration, body []byte) error {
	o, err := ParseOutcome(body)
	if err != nil {
		return err
	}
	if v.isOld(o) {
		return nil
	}
	switch o.Type {
	case Call:
		if v.calls.outcome(now, o) {
			v.answers = append(v.answers, saying(Command{Type: Seen, ID: o.ID}))
		}
	case Lease:
		v.lease.outcome(now, o)
		v.changed = true
	case Stop:
		v.stopped(now, o)
	case OutcomeMachine:
		v.found(o)
	}
	return nil
}

// isOld reports whether something newer of the same kind was said: Outcomes may overtake one another.
func (v *Viewer) isOld(o Outcome) bool {
	switch o.Type {
	case Lease, Stop, OutcomeMachine: // of no other is anything kept: a device may make up as many as it likes
	default:
		return false
	}
	if o.At == 0 {
		return false
	}
	last := v.order[o.Type]
	if v.ticks.isOver(o.Epoch) || o.Epoch == last.epoch && o.At < last.at {
		return true
	}
	v.order[o.Type] = moment{o.Epoch, o.At}
	return false
}

func (v *Viewer) found(o Outcome) {
	switch {
	case o.Code != "":
		v.noMachine(o.Code)
		return
	case o.Machine != nil:
		v.repeats.answered(Operate)
		v.machine, v.described = o.Machine, o.Epoch
	case v.machine == nil || v.described != o.Epoch:
		return // what it is was not told yet: that is asked for until it is
	default:
		same := *v.machine // those that were told of it before keep theirs
		v.machine = &same
	}
	v.machine.Moving, v.refused, v.changed = o.Moving, "", true
}

func (v *Viewer) noMachine(code string) {
	v.repeats.answered(Operate)
	v.machine, v.refused, v.changed = nil, code, true
}

func (v *Viewer) stopped(now time.Duration, o Outcome) {
	if o.Since != v.stop.Since {
		v.stop.Took = 0 // it was of another stop
	}
	v.stop.Stopped, v.stop.By, v.stop.Since = o.Stopped, o.By, o.Since
	if o.TookUS != 0 {
		v.stop.Took = time.Duration(min(o.TookUS, 1<<40)) * time.Microsecond
	}
	if said, ok := v.repeats.answeredBy(v.stop.Sending, o.ID); ok {
		v.stop.Sending, v.stop.RoundTrip, v.stop.Code, v.stop.Reason = "", now-said.since, o.Code, o.Reason
	}
	v.changed = true
}

// Do makes a call. What becomes of it, Step tells.
func (v *Viewer) Do(now time.Duration, w Wanted) {
	code, reason := "", ""
	switch {
	case v.mayNot():
		code, reason = CodeRole, mayNotReason
	case w.Lease && !v.lease.info.Mine:
		code, reason = CodeNoLease, "this method is only for whoever holds the lease"
	case w.size() > wire.MaxCommand:
		code, reason = CodeParams, fmt.Sprintf("with its parameters the call takes %d bytes, more than %d", w.size(), wire.MaxCommand)
	}
	v.calls.begin(now, w, v.lease.fence, code, reason)
}

const mayNotReason = "this token may watch, not command: use an operator's"

// Cancel takes a call back, if that is still possible.
func (v *Viewer) Cancel(now time.Duration, id string) { v.calls.cancel(now, id) }

// LeaseDo asks for something of the lease. It reports whether that could be said: not before a tick has come.
func (v *Viewer) LeaseDo(now time.Duration, what, to string) bool {
	v.changed, v.retake = true, 0
	if v.mayNot() {
		v.lease.info.Code, v.lease.info.Reason = CodeRole, mayNotReason
		return false
	}
	return v.lease.do(now, v.cfg.NewID(), what, to)
}

// SayStop says stop on every path until it is answered.
func (v *Viewer) SayStop(now time.Duration) {
	v.changed = true
	switch {
	case v.mayNot():
		v.stop.Code, v.stop.Reason = CodeRole, mayNotReason
		return
	case v.stop.Sending == Stop:
		return
	}
	v.repeats.answered(Reset)
	v.repeats.add(now, Stop, Command{Type: Stop, ID: v.cfg.NewID(), Name: v.cfg.Name}, never)
	v.stop.Sending, v.stop.Took, v.stop.Code, v.stop.Reason = Stop, 0, "", ""
}

// SayReset ends the stop. It reports whether that could be said: not before a tick has come, nor while something is not answered.
func (v *Viewer) SayReset(now time.Duration) bool {
	v.changed = true
	switch {
	case v.mayNot():
		v.stop.Code, v.stop.Reason = CodeRole, mayNotReason
		return false
	case v.stop.Sending != "" || !v.ticks.known():
		return false
	}
	c := Command{Type: Reset, ID: v.cfg.NewID(), Name: v.cfg.Name}
	c.Epoch, c.By = v.ticks.by(now, patience)
	if heard := v.order[Stop]; heard.epoch == c.Epoch {
		c.At = heard.at
	}
	v.repeats.add(now, Reset, c, now+patience)
	v.stop.Sending, v.stop.Code, v.stop.Reason = Reset, "", ""
	return true
}

// Hand is what the code says that reads the input, and no other: a counter that rises while a hand is there, and where the axes
// are to go. A hand of which nothing came for 150 ms is gone. Its last word is that all axes are neutral: one that goes without
// having said so has not let go, and is the same hand when it is back.
func (v *Viewer) Hand(now time.Duration, counter uint64, targets []wire.Target) {
	var axes []Axis
	if v.machine != nil {
		axes = v.machine.Axes
	}
	v.driver.take(now, counter, targets, axes)
}

// Step says what is due.
func (v *Viewer) Step(now time.Duration) Decision {
	if v.lease.expired(now) {
		v.changed, v.retake = true, 0
	}
	if v.lease.due(now) {
		v.lease.do(now, v.cfg.NewID(), Renew, "")
	}
	v.arm(now)
	for _, a := range v.repeats.over(now) {
		v.unanswered(now, a)
	}
	v.calls.step(now, v.lease.fence)
	d := Decision{Say: v.answers}
	v.answers = nil
	if v.path {
		for _, a := range v.repeats.due(now, v.roundTrip) {
			v.say(&d, a)
		}
		d.Drive = v.driver.step(now, v.around())
	}
	d.Calls, d.Changed, v.changed = v.calls.news(), v.changed, false
	d.Wake = min(v.repeats.wake(v.path), v.lease.wake(), v.calls.wake())
	if v.path {
		d.Wake = min(d.Wake, v.driver.wake(now, v.around()))
	}
	return d
}

func (v *Viewer) say(d *Decision, a awaited) {
	if a.command.Type == Operate && a.said > maxOperates {
		v.noMachine(Unanswered)
		return
	}
	v.calls.said(a)
	if a.command.Type == Stop { // ahead of whatever else is due
		d.Say = slices.Insert(d.Say, 0, saying(a.command))
		return
	}
	d.Say = append(d.Say, saying(a.command))
}

func saying(c Command) Saying { return Saying{c.Append(nil), c.Type == Stop} }

func (v *Viewer) unanswered(now time.Duration, a awaited) {
	switch a.command.Type {
	case Reset:
		v.stop.Sending, v.stop.Code, v.stop.Reason = "", CodeLate, "the device did not answer in time"
		v.changed = true
	case Lease:
		v.lease.over(a)
		v.changed = true
	default:
		v.calls.over(now, a)
	}
}

// arm asks for the machine's state while a hand waits for it.
func (v *Viewer) arm(now time.Duration) {
	switch {
	case v.Driving(now) != Arming:
		v.armAt = now + arming
	case now >= v.armAt:
		v.armAt = now + arming
		v.answers = append(v.answers, saying(Command{Type: Operate, On: true}))
	}
}

func (v *Viewer) around() surroundings {
	s := surroundings{tick: v.ticks.newest, roundTrip: v.roundTrip}
	if v.lease.info.Mine {
		s.fence = v.lease.fence
	}
	if v.machine != nil {
		s.axes, s.moving = v.machine.Axes, v.machine.Moving
	}
	return s
}
