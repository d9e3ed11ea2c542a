//go:build unix

package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/device/urgent"
)

// What the test binary is, when it is started again.
const (
	roleEnv = "TELEPATH_GUARD_TEST"    // "guard", or "agent": one that moves until it is told to stop
	fileEnv = "TELEPATH_GUARD_FILE"    // in which making safe writes when that was, in ns, a line each time
	waitEnv = "TELEPATH_GUARD_STANDBY" // what makes safe is started ahead; "": when it is needed
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "guard":
		if Watch(os.Stdin, os.Stdout, os.Stderr) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	case "agent":
		beats(os.Getenv(fileEnv))
	}
	goleak.VerifyTestMain(m)
}

const deadman = 300 * time.Millisecond

// note is a command that writes the time into a file.
func note(file string) []string { return []string{"sh", "-c", "date +%s%N >>" + file} }

// safely is a command that does so when it is told to.
func safely(file string) urgent.Command {
	if os.Getenv(waitEnv) == "" {
		return urgent.Command{Argv: note(file)}
	}
	return urgent.Command{Argv: []string{"sh", "-c", "read -r _; date +%s%N >>" + file}, Standby: true}
}

// start runs a guard whose command notes.
func start(file string) (g *Guard, end func()) { return startAs(file, os.Args[0]) }

func startAs(file string, argv ...string) (g *Guard, end func()) {
	return startWith(Config{Argv: argv, Deadman: deadman, Commands: []urgent.Command{safely(file)}})
}

func startWith(cfg Config) (g *Guard, end func()) {
	g = New(cfg)
	os.Setenv(roleEnv, "guard")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = g.Run(ctx) // always nil
	}()
	return g, func() {
		cancel()
		<-ended
	}
}

// beats is an agent that moves for ever. It tells the pid of its guard, and each beat.
func beats(file string) {
	g, _ := start(file)
	for !g.Watching() {
		g.Beat()
		time.Sleep(10 * time.Millisecond)
	}
	for {
		g.Beat()
		fmt.Println(time.Now().UnixNano())
		time.Sleep(10 * time.Millisecond)
	}
}

// madeSafe is when things were made safe.
func madeSafe(t *testing.T, file string) (times []time.Time) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		ns, err := strconv.ParseInt(strings.TrimSuffix(line, "\n"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Unix(0, ns))
	}
	return times
}

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ready(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}

// beatUntilWatched beats as who moves does, again and again: what one process was told the next one does not know.
func beatUntilWatched(t *testing.T, g *Guard) {
	t.Helper()
	for end := time.Now().Add(2 * starting); !g.Watching(); time.Sleep(between) {
		if time.Now().After(end) {
			t.Fatal("the guard did not come")
		}
		g.Beat()
	}
}

// An agent that is killed, or stopped, while something moves: all is safe within the dead-man time and 100 ms.
func TestKilledAndStopped(t *testing.T) {
	for _, c := range []struct {
		name, standby string
		sig           syscall.Signal
	}{
		{"killed", "", syscall.SIGKILL},
		{"stopped", "", syscall.SIGSTOP},
		{"killed, what makes safe stands by", "1", syscall.SIGKILL},
		{"stopped, what makes safe stands by", "1", syscall.SIGSTOP},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(waitEnv, c.standby)
			for range 20 {
				took, here := endAgent(t, c.sig)
				switch {
				case took > 0 && took <= deadman+100*time.Millisecond:
					return
				case took > 0 && here <= deadman+between+margin+10*time.Millisecond: // an exec takes some ms
					t.Fatalf("safe after %v; a process that was started here meanwhile had done the same after %v", took, here)
				}
				t.Logf("safe after %v; the machine is so busy that it took %v here: once more", took, here)
			}
			t.Error("this machine is too busy to say anything")
		})
	}
}

// endAgent ends an agent by a signal, and returns when all was safe after that, and when a program started from here had done
// what the guard's does. 0: it was made safe before, since the agent did not get to say that all was well.
func endAgent(t *testing.T, sig syscall.Signal) (took, here time.Duration) {
	t.Helper()
	dir := t.TempDir()
	file, ours := filepath.Join(dir, "safe"), filepath.Join(dir, "ours")
	said, err := os.Create(filepath.Join(dir, "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Stderr = said // and the guard's
	cmd.Env = append(os.Environ(), roleEnv+"=agent", fileEnv+"="+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 64)
	for range 20 {
		if _, err := out.Read(line); err != nil {
			t.Fatal(err)
		}
	}
	early := madeSafe(t, file) != nil
	at := time.Now()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	time.Sleep(deadman + margin)
	if err := exec.Command(note(ours)[0], note(ours)[1:]...).Run(); err != nil {
		t.Fatal(err)
	}
	// What it had begun may come behind the first.
	waitFor(t, "what makes safe", func() bool { return len(madeSafe(t, file)) >= 2 })
	waitFor(t, "a word of it", func() bool {
		text, err := os.ReadFile(said.Name())
		return err == nil && strings.Contains(string(text), "guard: made safe without the agent, ")
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	if early {
		return 0, 0
	}
	return madeSafe(t, file)[0].Sub(at), madeSafe(t, ours)[0].Sub(at)
}

func TestAnEndInOrderNeedsNoGuard(t *testing.T) {
	file := filepath.Join(t.TempDir(), "safe")
	g, end := start(file)
	beatUntilWatched(t, g)
	g.Safe()
	if g.Watching() {
		t.Error("it watches, and nothing moves")
	}
	time.Sleep(2 * deadman) // a real process: it has nothing to do
	end()
	if madeSafe(t, file) != nil {
		t.Error("made safe by the guard")
	}
}

// A small machine that is busy needs a while until a program runs: it is waited for, and answers in time from then on.
func TestASlowStart(t *testing.T) {
	g, end := startAs(filepath.Join(t.TempDir(), "safe"), "sh", "-c", fmt.Sprintf("sleep %.1f; exec %s", 1.5*deaf.Seconds(), os.Args[0]))
	defer end()
	g.Lost(func() { t.Error("it is given up") })
	beatUntilWatched(t, g)
	g.Safe()
}

// A guard that is killed, or stopped, is known to be gone, and another one comes.
func TestAGuardThatIsGone(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			g, end := start(filepath.Join(t.TempDir(), "safe"))
			defer end()
			beatUntilWatched(t, g)
			lost := make(chan struct{}, 10)
			g.Lost(func() { lost <- struct{}{} })
			pids := children(t)
			for _, pid := range pids {
				if err := syscall.Kill(pid, sig); err != nil {
					t.Fatal(err)
				}
			}
			stop := time.Now().Add(10 * time.Second)
			for done := false; !done && time.Now().Before(stop); time.Sleep(between) {
				g.Beat()
				select {
				case <-lost:
					done = true
				default:
				}
			}
			if g.Watching() {
				t.Error("it is said to watch")
			}
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGCONT) // so that one that is stopped ends
			}
			beatUntilWatched(t, g)
			g.Safe()
		})
	}
}

// children are the processes that this one has started.
func children(t *testing.T) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		data, err := os.ReadFile(file)
		if err != nil { // a thread that has ended
			continue
		}
		for _, text := range strings.Fields(string(data)) {
			pid, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		t.Skip("/proc does not tell the children of a process")
	}
	return pids
}

// What cannot be made safe at once is tried again: nobody else is there to do it.
func TestWhatFailsIsTriedAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tries")
	script := fmt.Sprintf("echo >>%[1]s; test $(wc -l <%[1]s) -gt 6", file)
	line, err := json.Marshal(orders{AfterMS: 300, Commands: []urgent.Command{{Argv: []string{"sh", "-c", script}}}})
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if err := Watch(strings.NewReader(string(line)+"\nb"), io.Discard, &said); err != nil || !strings.Contains(said.String(), "made safe without the agent") {
		t.Errorf("%v, %s", err, said.String())
	}
}

// An agent that ends leaves the guard alone that still has to make safe.
func TestTheLastOneTriesOn(t *testing.T) {
	others, dir := goleak.IgnoreCurrent(), t.TempDir()
	tries, done := filepath.Join(dir, "tries"), filepath.Join(dir, "done")
	script := fmt.Sprintf("echo >>%[1]s; test $(wc -l <%[1]s) -gt 6 && date +%%s%%N >>%s", tries, done)
	g, end := startWith(Config{
		Argv: []string{os.Args[0]}, Deadman: deadman, Commands: []urgent.Command{{Argv: []string{"sh", "-c", script}}},
		lingers: between,
	})
	beatUntilWatched(t, g)
	end()
	if madeSafe(t, done) != nil {
		t.Skip("this machine is too busy: it was safe at once")
	}
	waitFor(t, "what makes safe", func() bool { return len(madeSafe(t, done)) == 2 })
	waitFor(t, "the end of its process", func() bool { return goleak.Find(others) == nil })
}

// stuckWriter is a terminal that is paused until something is there.
type stuckWriter struct{ until func() bool }

func (w stuckWriter) Write(b []byte) (int, error) {
	for end := time.Now().Add(10 * time.Second); !w.until() && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
	}
	return len(b), nil
}

// Nobody has to read what the guard says for everything to be made safe, and once more.
func TestAPausedTerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "safe")
	line, err := json.Marshal(orders{AfterMS: 300, Commands: []urgent.Command{{Argv: note(file)}}})
	if err != nil {
		t.Fatal(err)
	}
	twice := func() bool { return len(madeSafe(t, file)) == 2 }
	begun := time.Now()
	if err := Watch(strings.NewReader(string(line)+"\nb"), io.Discard, stuckWriter{twice}); err != nil {
		t.Error(err)
	}
	if times := madeSafe(t, file); len(times) != 2 || times[1].Sub(times[0]) < again {
		t.Errorf("made safe %d times, %v", len(times), times)
	}
	if took := time.Since(begun); took > 9*time.Second {
		t.Errorf("it waited for the terminal: %v", took)
	}
}

func TestWatchNeedsOrders(t *testing.T) {
	for _, text := range []string{"", "b", "{]\n", strings.Repeat("x", 2*maxOrders)} {
		if err := Watch(strings.NewReader(text), os.Stdout, os.Stderr); err == nil || !strings.Contains(err.Error(), "guard: ") {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}
