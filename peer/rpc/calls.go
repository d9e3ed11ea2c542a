package rpc

import (
	"encoding/json"
	"math"
	"slices"
	"time"
)

// States of a call that only its viewer knows.
const (
	Waiting State = "waiting" // not sent: no tick of the device has come yet, or there is no path
	Sent    State = "sent"    // not answered
)

const (
	// maxCalls bounds the calls that are under way, and those over that are remembered, so that an end which comes twice is known.
	maxCalls = 64
	// askTime is for how long the device is asked what became of a call that it never answered; recallTime, of one that it has.
	askTime    = 5 * time.Second
	recallTime = time.Minute
	// silence is how long a call that the device knows may be without news until it is asked.
	silence = 3 * time.Second
)

// Wanted is a call to be made.
type Wanted struct {
	ID     string // UUID
	Method string
	Params json.RawMessage // an object; nil: none
	Lease  bool            // the method needs the lease
	Wait   time.Duration   // it does not begin later than that from now
}

// size is the most that the call's Command takes, in bytes: a receiver takes none that is longer than wire.MaxCommand.
func (w Wanted) size() int {
	const most = 1<<53 - 1 // of the numbers that it is given when it is sent
	c := Command{Type: Call, ID: w.ID, Method: w.Method, Params: w.Params, Epoch: math.MaxUint32, By: most}
	if w.Lease {
		c.Fence = most
	}
	return len(c.Append(nil))
}

// CallInfo is what is known of a call.
type CallInfo struct {
	ID, Method string
	State      State
	Code       string
	Reason     string
	Progress   float64
	Result     json.RawMessage
	Took       time.Duration // it ran so long
	RoundTrip  time.Duration // until the first word of the device; 0: none came
}

// call is one that is followed.
type call struct {
	CallInfo
	wanted  Wanted
	until   time.Duration // its deadline
	heard   time.Duration // when the device said something of it last
	known   bool          // the device has said something of it
	guessed bool          // it has ended without a word of the device
	changed bool          // Step has not told yet
}

// calls follow each call from when it is wanted to its end (section 10.2).
type calls struct {
	repeats *repeats
	ticks   *ticks
	all     []*call
}

func (s *calls) find(id string) *call {
	i := slices.IndexFunc(s.all, func(c *call) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return s.all[i]
}

// begin follows a call. It ends at once where it cannot be made: code says why.
func (s *calls) begin(now time.Duration, w Wanted, fence uint64, code, reason string) {
	c := &call{CallInfo: CallInfo{ID: w.ID, Method: w.Method, State: Waiting}, wanted: w, until: now + w.Wait, changed: true}
	s.makeRoom()
	switch {
	case code != "":
		c.end(Rejected, code, reason)
	case len(s.all) >= maxCalls:
		c.end(Rejected, CodeBusy, "too many calls are under way here")
	}
	s.all = append(s.all, c)
	s.send(now, c, fence)
}

// send says a call that waits as soon as a deadline can be given.
func (s *calls) send(now time.Duration, c *call, fence uint64) {
	if c.State != Waiting || !s.ticks.known() || s.repeats.has(c.ID) || now >= c.until {
		return
	}
	command := Command{Type: Call, ID: c.ID, Method: c.Method, Params: c.wanted.Params}
	if c.wanted.Lease {
		command.Fence = fence
	}
	command.Epoch, command.By = s.ticks.by(now, c.until-now)
	s.repeats.add(now, c.ID, command, c.until)
}

// makeRoom forgets the oldest that are over.
func (s *calls) makeRoom() {
	for i := 0; i < len(s.all) && len(s.all) >= maxCalls; {
		if s.all[i].State.Ended() && !s.all[i].changed {
			s.all = slices.Delete(s.all, i, i+1)
		} else {
			i++
		}
	}
}

// said: a command of a call went out.
func (s *calls) said(a awaited) {
	if c := s.find(a.command.ID); c != nil && a.command.Type == Call && c.State == Waiting {
		c.State, c.changed = Sent, true
	}
}

func (s *calls) cancel(now time.Duration, id string) {
	c := s.find(id)
	if c == nil || c.State.Ended() {
		return
	}
	if c.State == Waiting {
		s.repeats.answered(id)
		c.end(Rejected, CodeCancelled, "it was not sent")
		return
	}
	s.repeats.add(now, "cancel "+id, Command{Type: Cancel, ID: id}, now+recallTime)
}

// outcome takes what the device says of a call. It reports whether that is to be answered with seen.
func (s *calls) outcome(now time.Duration, o Outcome) (seen bool) {
	if o.State == "" { // it says nothing of the call: that is asked for until it is
		return false
	}
	said, answers := s.repeats.answered(o.ID)
	s.repeats.answered("ask " + o.ID)
	c, ended := s.find(o.ID), o.State.Ended()
	switch {
	case c == nil || c.State.Ended() && !c.guessed:
		return ended
	case o.State == Received && c.State == Running: // it came late, over the slower path
		return false
	}
	if ended {
		s.repeats.answered("cancel " + o.ID)
	}
	c.State, c.Code, c.Reason, c.Took = o.State, o.Code, o.Reason, time.Duration(min(o.TookUS, 1<<40))*time.Microsecond
	c.Progress = max(c.Progress, o.Progress)
	if o.Result != nil {
		c.Result = o.Result
	}
	if answers && c.RoundTrip == 0 {
		c.RoundTrip = now - said.since
	}
	c.heard, c.known, c.guessed, c.changed = now, true, false, true
	return ended
}

// over: nothing answered a command of a call in its time.
func (s *calls) over(now time.Duration, a awaited) {
	c := s.find(a.command.ID)
	if c == nil || c.State.Ended() {
		return
	}
	switch {
	case a.command.Type == Call && c.State == Sent: // it may have run, with its answers lost
		s.ask(now, c, askTime)
	case a.command.Type == Ask && c.known:
		c.guess(Unknown, "the device has not said how it ended")
	case a.command.Type == Ask:
		c.guess(Unknown, "no answer from the device: it may have run")
	}
}

func (s *calls) ask(now time.Duration, c *call, patience time.Duration) {
	s.repeats.add(now, "ask "+c.ID, Command{Type: Ask, ID: c.ID}, now+patience)
}

// step ends what could not be sent in time, and asks for what is silent.
func (s *calls) step(now time.Duration, fence uint64) {
	for _, c := range s.all {
		s.send(now, c, fence)
		switch {
		case c.State == Waiting && now >= c.until:
			s.repeats.answered(c.ID)
			c.guess(Expired, "it was not sent: "+s.whyNot())
			c.Code = CodeLate
		case c.known && !c.State.Ended() && now >= c.heard+silence && !s.repeats.has("ask "+c.ID):
			s.ask(now, c, recallTime)
		}
	}
}

func (s *calls) whyNot() string {
	if !s.ticks.known() {
		return "the device's clock was not known"
	}
	return "there was no path to the device"
}

func (s *calls) wake() time.Duration {
	at := never
	for _, c := range s.all {
		switch {
		case c.State == Waiting:
			at = min(at, c.until)
		case c.known && !c.State.Ended() && !s.repeats.has("ask "+c.ID):
			at = min(at, c.heard+silence)
		}
	}
	return at
}

// news are the calls that changed since it was asked last.
func (s *calls) news() (changed []CallInfo) {
	for _, c := range s.all {
		if c.changed {
			c.changed = false
			changed = append(changed, c.CallInfo)
		}
	}
	return changed
}

func (c *call) end(state State, code, reason string) {
	c.State, c.Code, c.Reason, c.changed = state, code, reason, true
}

// guess ends a call without a word of the device, which may come all the same.
func (c *call) guess(state State, reason string) {
	c.end(state, "", reason)
	c.guessed = true
}
