package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// The exit codes of `telepath call`, as docs/running.md has them.
const (
	exitDone = iota
	exitRefused
	exitUsage
	exitFailed
	exitRejected
	exitExpired
	exitUnknown
)

// commandTime is how long a command of the terminal may take, its own start and the link to the server included.
const commandTime = 15 * time.Second

// controlStreams are what everybody may see of who commands the machine, and what its horn did.
var controlStreams = []string{"--stream", "control/*", "--stream", hornStream}

// A viewer's token can do nothing, on whichever path: it is told so in words, and the device has not noticed anything. What an
// operator does, the device writes down.
func TestOnlyOperatorsCommand(t *testing.T) {
	w := newWorld(t)
	w.startDevice(t, "machine", "--source", "machine")
	v := w.watch(t, "machine", controlStreams...)
	_, err := v.Await("state of the stop", 0, firstPath, isControl("stopped", "false"))
	must(t, err)

	for _, only := range []string{"udp,ws", "relay-udp,ws", "ws"} {
		for _, command := range [][]string{{"methods"}, {"call", "honk"}, {"call", "reset-pole"}, {"stop"}, {"reset"}} {
			args := append([]string{"machine"}, command[1:]...)
			w.refused(t, w.command(t, "viewer", command[0], append(args, "--only", only)...), command)
		}
	}
	driver, err := w.Drive(w.view, "viewer", "machine")
	must(t, err)
	endWith(t, "drive", driver)
	w.refused(t, driver, []string{"drive"})
	if told := texts(t, v, logOfControl); len(told) > 0 {
		t.Errorf("the device obeyed a viewer: %q", told)
	}

	w.exits(t, exitDone, "", "call", "machine", "honk")
	_, err = v.Await("the operator's call in the log", 0, firstPath, isLogged(`call "honk"`, ": done"))
	must(t, err)
	_, err = v.Await("the horn", 0, firstPath, func(e rig.Event) bool { return e.Stream == hornStream }) // streams overtake one another
	must(t, err)
	if honks := texts(t, v, hornStream); len(honks) != 1 {
		t.Errorf("the horn: %q", honks)
	}
}

// refused checks that a command ends, and says that its token may not.
func (w *world) refused(t *testing.T, p *program.Program, what []string) {
	t.Helper()
	code, err := p.Wait(slack.Of(commandTime))
	must(t, err)
	if code != exitRefused || !strings.Contains(p.Tail(20), "the token may watch, not command") {
		t.Errorf("%q with a viewer's token: exit %d:\n%s", what, code, p.Tail(20))
	}
}

// command starts a command of the terminal on host view.
func (w *world) command(t *testing.T, role, command string, args ...string) *program.Program {
	t.Helper()
	p, err := w.Command(w.view, role, command, args...)
	must(t, err)
	endWith(t, command, p)
	return p
}

// exits runs an operator's command and checks its exit code, and that it says something.
func (w *world) exits(t *testing.T, want int, says, command string, args ...string) {
	t.Helper()
	ends(t, w.command(t, "operator", command, args...), want, says)
}

func ends(t *testing.T, p *program.Program, want int, says string) {
	t.Helper()
	code, err := p.Wait(slack.Of(commandTime))
	must(t, err)
	if code != want || !strings.Contains(p.Tail(50), says) {
		t.Errorf("exit %d, want %d and %q:\n%s", code, want, says, p.Tail(20))
	}
}

// A call ends in one of five ways, and the exit code says in which; a stop stays over a restart of the agent, until a reset.
func TestCallsAndStops(t *testing.T) {
	w := newWorld(t)
	device := w.startDevice(t, "machine", "--source", "machine")
	v := w.watch(t, "machine", controlStreams...)
	_, err := v.Await("state of the stop", 0, firstPath, isControl("stopped", "false"))
	must(t, err)

	w.exits(t, exitDone, `{"sound":"HONK HONK"}`, "call", "machine", "honk", `{"times": 2, "loud": true}`)
	w.exits(t, exitFailed, "already lies on the rail", "call", "machine", "push", `{"side": "left"}`)
	w.exits(t, exitDone, "done", "call", "machine", "reset-pole")                 // with the lease, for that time
	w.exits(t, exitRejected, "side", "call", "machine", "push", `{"side": "up"}`) // not a honk: more than two a second are refused for that
	w.exits(t, exitRejected, "", "call", "machine", "dance")
	w.exits(t, exitUsage, "--yes", "call", "machine", "knock-over")

	// Calls run one after the other: this one's deadline passes before its turn comes.
	long := w.command(t, "operator", "call", "machine", "self-test", `{"seconds": 4}`)
	_, err = long.WaitFor(running, commandTime)
	must(t, err)
	w.exits(t, exitExpired, "expired", "call", "machine", "honk", "--deadline", "300ms")
	ends(t, long, exitDone, "steps_a_second")

	w.exits(t, exitDone, "stopped", "stop", "machine")
	_, err = v.Await("stopped", 0, firstPath, isControl("stopped", "true"))
	must(t, err)
	w.exits(t, exitRejected, "", "call", "machine", "honk")
	must(t, syscall.Kill(device.PID(), syscall.SIGKILL))
	mark := v.Mark()
	w.startDevice(t, "machine", "--source", "machine")
	_, err = v.Await("stopped, by the agent started again", mark, firstPath, isControl("stopped", "true"))
	must(t, err)
	w.exits(t, exitRejected, "", "call", "machine", "honk")
	w.exits(t, exitDone, "may move again", "reset", "machine")
	w.exits(t, exitDone, "honk", "call", "machine", "honk", `{"times": 3}`)
	_, err = v.Await("the last honk", 0, firstPath, isText(hornStream, "honk honk honk"))
	must(t, err)
	if honks := texts(t, v, hornStream); len(honks) != 2 {
		t.Errorf("what was rejected or expired ran: %q", honks)
	}
}

// An agent that is killed in the middle of a call does not know how that ended, and says so.
func TestAgentIsKilledInACall(t *testing.T) {
	w := newWorld(t)
	device := w.startDevice(t, "machine", "--source", "machine")
	v := w.watch(t, "machine", controlStreams...)
	call := w.command(t, "operator", "call", "machine", "self-test", `{"seconds": 10}`)
	_, err := call.WaitFor(running, commandTime)
	must(t, err)
	must(t, syscall.Kill(device.PID(), syscall.SIGKILL))
	w.startDevice(t, "machine", "--source", "machine")
	ends(t, call, exitUnknown, "unknown")
	w.exits(t, exitDone, "done", "call", "machine", "honk", "--deadline", "10s") // behind it, if it ran again
	_, err = v.Await("the honk", 0, firstPath, isText(hornStream, "honk"))
	must(t, err)
	for _, line := range texts(t, v, logOfControl) {
		if hasAll(line, []string{`call "self-test"`, ": done"}) {
			t.Errorf("it ran again: %s", line)
		}
	}
}
