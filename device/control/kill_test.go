//go:build unix

package control

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/device/actuator"
	actuatorexec "github.com/telepath-iot/telepath/device/actuator/exec"
	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// The test binary is two programs: the tests, and a device that reads commands from its standard input.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "device" {
		device(os.Args[2])
	}
	goleak.VerifyTestMain(m)
}

// pipe is a Conn that is the device's standard output.
type pipe struct{}

func (pipe) ID() string   { return "pipe" }
func (pipe) Role() string { return operatorRole }
func (pipe) Say(o []byte) { fmt.Printf("%s\n", o) }
func (pipe) Tick(t wire.Tick) {
	fmt.Printf(`{"type":"tick","fence":%d,"since":%d}`+"\n", t.Epoch, t.At)
}

// device has an actuator whose program notes that it ran, for good (fsync), and then takes its time.
func device(dir string) {
	const note = `echo "$2" | dd of="$1" oflag=append conv=notrunc,fsync status=none && sleep "$3"`
	run := []string{"sh", "-c", note, "sh", filepath.Join(dir, "ledger"), "{what}", "{seconds}"}
	act, err := actuatorexec.New(actuatorexec.Config{Methods: []actuatorexec.Method{{
		Method: rpc.Method{
			Name: "note", Rate: 1000,
			Params: json.RawMessage(`{"type": "object", "properties": {"what": {"type": "string"}, "seconds": {"type": "number"}}}`),
		}, Run: run,
	}}})
	if err == nil {
		var a *Authority
		a, err = New(Config{Actuators: []actuator.Actuator{act}, FS: disk.OS{Dir: filepath.Join(dir, "journal")}})
		if err == nil {
			go func() { _ = a.Run(context.Background()) }() // until it is killed
			for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
				a.Command(pipe{}, lines.Bytes())
			}
		}
	}
	fmt.Fprintln(os.Stderr, "the device has ended:", err)
	os.Exit(1)
}

// life is one run of the device's program.
type life struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	said chan rpc.Outcome
	tick wire.Tick
	at   time.Time // when the tick came
}

func live(t *testing.T, dir string) *life {
	t.Helper()
	l := &life{t: t, cmd: exec.Command(os.Args[0], "device", dir), said: make(chan rpc.Outcome, 1000)}
	var err error
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(l.said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if o, err := rpc.ParseOutcome(lines.Bytes()); err == nil {
				l.said <- o
			}
		}
	}()
	for l.tick.At == 0 { // until the device obeys
		l.say(rpc.Command{Type: rpc.Operate, On: true})
		l.hear(100*time.Millisecond, func(o rpc.Outcome) bool { return o.Type == "tick" })
	}
	return l
}

// say may come too late, since the device is killed now and then.
func (l *life) say(c rpc.Command) { _, _ = l.in.Write(append(c.Append(nil), '\n')) }

// hear waits for an outcome.
func (l *life) hear(patience time.Duration, what func(rpc.Outcome) bool) (rpc.Outcome, bool) {
	for over := time.After(patience); ; {
		select {
		case o, there := <-l.said:
			if !there {
				return o, false
			}
			if o.Type == "tick" {
				l.tick, l.at = wire.Tick{Epoch: uint32(o.Fence), At: o.Since}, time.Now()
			}
			if what(o) {
				return o, true
			}
		case <-over:
			return rpc.Outcome{}, false
		}
	}
}

// note makes a call that may wait for so long; less than nothing: it is too late already.
func (l *life) note(id string, wait time.Duration, ms int) rpc.Command {
	by := int64(l.tick.At) + time.Since(l.at).Microseconds() + wait.Microseconds()
	params := fmt.Sprintf(`{"what": %q, "seconds": %v}`, id, float64(ms)/1000)
	return rpc.Command{Type: rpc.Call, ID: id, Method: "note", Params: json.RawMessage(params), Epoch: l.tick.Epoch, By: uint64(max(by, 1))}
}

func (l *life) kill() {
	_ = l.cmd.Process.Signal(syscall.SIGKILL)
	l.hear(time.Minute, func(rpc.Outcome) bool { return false })
	_ = l.cmd.Wait() // it was killed
}

// A device is killed at seeded moments while calls come, and come again. What its actuator has noted itself is the judge: no call ran twice, none that
// was too late ran, and only what was under way when the device was killed is unknown.
func TestKills(t *testing.T) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("CONTROL_KILLS")); err == nil {
		kills = n
	}
	dir, rnd := t.TempDir(), rand.New(rand.NewPCG(33, 1))
	var all []rpc.Command // that were ever said
	never := map[string]bool{}
	for range kills {
		l := live(t, dir)
		for _, c := range all { // recorded in an earlier run: whoever says them again
			if rnd.IntN(3) == 0 {
				l.say(c)
			}
		}
		end := time.Now().Add(time.Duration(500+rnd.IntN(2000)) * time.Millisecond)
		for n := 0; time.Now().Before(end); n++ {
			id := fmt.Sprintf("%08x-0000-4000-8000-%012x", len(all), rnd.Uint64N(1<<40))
			c := l.note(id, 5*time.Second, rnd.IntN(200))
			if rnd.IntN(6) == 0 {
				c, never[id] = l.note(id, -time.Millisecond, 0), true
			}
			all = append(all, c)
			for range 1 + rnd.IntN(3) {
				l.say(c)
			}
			l.hear(time.Duration(20+rnd.IntN(300))*time.Millisecond, func(o rpc.Outcome) bool { return o.ID == id && o.State.Ended() })
		}
		l.kill()
	}
	judge(t, dir, all, never, kills)
}

func judge(t *testing.T, dir string, all []rpc.Command, never map[string]bool, kills int) {
	t.Helper()
	time.Sleep(100 * time.Millisecond) // what the killed device had begun ends
	data, err := os.ReadFile(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for _, id := range strings.Fields(string(data)) {
		ran[id]++
	}
	l := live(t, dir)
	defer l.kill()
	states := map[rpc.State]int{}
	for _, c := range all {
		l.say(rpc.Command{Type: rpc.Ask, ID: c.ID})
		o, answered := l.hear(10*time.Second, func(o rpc.Outcome) bool { return o.ID == c.ID })
		states[o.State]++
		switch n := ran[c.ID]; {
		case !answered:
			t.Errorf("%s: no answer", c.ID)
		case n > 1:
			t.Errorf("%s ran %d times", c.ID, n)
		case never[c.ID] && n > 0:
			t.Errorf("%s ran, and was too late", c.ID)
		case (o.State == rpc.Rejected || o.State == rpc.Expired) && n > 0, o.State == rpc.Done && n != 1:
			t.Errorf("%s is said to be %s, and ran %d times", c.ID, o.State, n)
		}
	}
	if states[rpc.Unknown] > kills { // one runs at a time
		t.Errorf("%d are unknown after %d kills", states[rpc.Unknown], kills)
	}
	if states[rpc.Done] == 0 {
		t.Error("none was done: nothing was tested")
	}
	t.Logf("%d calls, %d of them too late, %d kills: %v", len(all), len(never), kills, states)
}
