package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/settings"
)

// exitOffline is the exit code of commands that need a device which is offline.
const exitOffline = 7

// absence is that the device of a command is offline, as the server says. That ends the command, but for two cases: for as long
// as the device may come back by itself it waits, and goes is set where it goes on all the same. Of a device that was
// reached once the paths show what becomes of it.
type absence struct {
	// Set once.
	out  io.Writer               // for people
	goes string                  // what the command does meanwhile; empty: it ends
	end  context.CancelCauseFunc // of the command, with what it fails with

	mu      sync.Mutex
	device  signal.Device // guarded by mu; as told last
	at      time.Time     // guarded by mu; when
	reached bool          // guarded by mu
	said    bool          // guarded by mu
	wait    *time.Timer   // guarded by mu; nil: none yet
}

// watch has the events of presence come here.
func (a *absence) watch(events peer.Events) peer.Events {
	events.Opened, events.State, events.Joined = a.heard, a.heard, a.joined
	return events
}

func (a *absence) joined() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reached = true
}

func (a *absence) heard(d signal.Device) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.device, a.at = d, time.Now()
	if a.wait != nil {
		a.wait.Stop()
	}
	if !a.lastsLocked() {
		return
	}
	grace := time.Duration(d.GraceMS) * time.Millisecond
	switch {
	case a.goes != "":
		a.sayLocked(a.goes)
	case grace > 0:
		a.sayLocked("Waiting for it")
		a.wait = time.AfterFunc(grace, a.giveUp)
	default:
		a.endLocked()
	}
}

// coded gives a command's failure its exit code.
func (a *absence) coded(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil && a.lastsLocked() {
		return settings.WithCode(err, exitOffline)
	}
	return err
}

// lastsLocked reports whether the device is offline, and was never there.
func (a *absence) lastsLocked() bool { return a.device.State == signal.StateOffline && !a.reached }

func (a *absence) giveUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lastsLocked() {
		a.device.GraceMS = 0
		a.endLocked()
	}
}

func (a *absence) endLocked() {
	const remedy = "Check that telepath-device runs there and reaches the server; telepath view shows when it is back"
	a.end(fmt.Errorf("%s. %s", a.wordsLocked(), remedy))
}

// sayLocked says once how it is, and what the command makes of that.
func (a *absence) sayLocked(what string) {
	if !a.said {
		a.said = true
		fmt.Fprintf(a.out, "%s. %s\n", a.wordsLocked(), what)
	}
}

func (a *absence) wordsLocked() string {
	now := time.Now()
	text := view.Escape(a.device.Name) + ": " + view.State(a.device, now)
	heard := time.Duration(a.device.HeardMS)*time.Millisecond + now.Sub(a.at)
	if a.device.HeardMS > 0 && heard >= time.Second {
		text += ", last heard " + view.Short(heard.Truncate(time.Second)) + " ago"
	}
	return text
}
