package rpc

import (
	"slices"
	"time"
)

const (
	// firstRepeat comes after this time or two round trips, whichever is longer; the pause doubles up to lastRepeat.
	firstRepeat = 100 * time.Millisecond
	lastRepeat  = time.Second
	// stopRepeat is how often a stop is said.
	stopRepeat = 50 * time.Millisecond
)

// never is an until of what has no deadline.
const never time.Duration = 1<<63 - 1

// awaited is a command that is said until it is answered.
type awaited struct {
	key     string // of what answers it
	command Command
	since   time.Duration
	until   time.Duration // said no more from then on
	said    int           // how often
	next    time.Duration
}

// repeats says commands again until what answers them comes (section 10.1).
type repeats struct{ all []awaited }

// add a command, due now, in the place of one with the same key.
func (r *repeats) add(now time.Duration, key string, c Command, until time.Duration) {
	r.answered(key)
	r.all = append(r.all, awaited{key: key, command: c, since: now, until: until, next: now})
}

// answered takes a command off and returns it.
func (r *repeats) answered(key string) (found awaited, ok bool) {
	i := slices.IndexFunc(r.all, func(a awaited) bool { return a.key == key })
	if i < 0 {
		return awaited{}, false
	}
	found = r.all[i]
	r.all = slices.Delete(r.all, i, i+1)
	return found, true
}

// answeredBy is the same for one whose key is not its id.
func (r *repeats) answeredBy(key, id string) (found awaited, ok bool) {
	i := slices.IndexFunc(r.all, func(a awaited) bool { return a.key == key && a.command.ID == id })
	if i < 0 {
		return awaited{}, false
	}
	return r.answered(key)
}

func (r *repeats) has(key string) bool {
	return slices.ContainsFunc(r.all, func(a awaited) bool { return a.key == key })
}

// due are those to be said now.
func (r *repeats) due(now, roundTrip time.Duration) (due []awaited) {
	for i := range r.all {
		a := &r.all[i]
		if now < a.next || now >= a.until {
			continue
		}
		a.next = now + a.pause(roundTrip)
		a.said++
		due = append(due, *a)
	}
	return due
}

// over are those whose time has passed without an answer; they are taken off.
func (r *repeats) over(now time.Duration) (over []awaited) {
	r.all = slices.DeleteFunc(r.all, func(a awaited) bool {
		late := now >= a.until
		if late {
			over = append(over, a)
		}
		return late
	})
	return over
}

// wake is when one is due, or over. Without a path nothing is due.
func (r *repeats) wake(path bool) time.Duration {
	at := never
	for _, a := range r.all {
		at = min(at, a.until)
		if path {
			at = min(at, a.next)
		}
	}
	return at
}

func (a *awaited) pause(roundTrip time.Duration) time.Duration {
	if a.command.Type == Stop {
		return stopRepeat
	}
	return min(max(firstRepeat, 2*roundTrip)<<min(a.said, 10), lastRepeat)
}
