//go:build unix

package guard

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// What the test binary is, when it is started again.
const (
	roleEnv = "TELEPATH_GUARD_TEST" // "guard", or "agent": one that moves until it is told to stop
	fileEnv = "TELEPATH_GUARD_FILE" // where making safe leaves a line
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

const deadman = 150 * time.Millisecond

// start runs a guard whose command writes a line with the time, in ns, into a file.
func start(file string) (g *Guard, end func()) {
	stamp := []string{"sh", "-c", "date +%s%N >> " + file}
	g = New(Config{Argv: []string{os.Args[0]}, Deadman: deadman, Commands: [][]string{stamp}})
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

// stamps are the times at which things were made safe.
func stamps(t *testing.T, file string) (at []time.Time) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, text := range strings.Fields(string(data)) {
		ns, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, time.Unix(0, ns))
	}
	return at
}

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ready(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}

// An agent that is killed, or stopped, while something moves: all is safe within the dead-man time and 100 ms.
func TestKilledAndStopped(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "safe")
			cmd := exec.Command(os.Args[0])
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
			if n := len(stamps(t, file)); n != 0 {
				t.Errorf("made safe %d times while all was well", n)
			}
			at := time.Now()
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "what makes safe", func() bool { return len(stamps(t, file)) > 0 })
			if took := stamps(t, file)[0].Sub(at); took > deadman+100*time.Millisecond {
				t.Errorf("safe after %v", took)
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it was killed
		})
	}
}

func TestAnEndInOrderNeedsNoGuard(t *testing.T) {
	file := filepath.Join(t.TempDir(), "safe")
	g, end := start(file)
	g.Beat()
	waitFor(t, "the guard", g.Watching)
	g.Safe()
	if g.Watching() {
		t.Error("it watches, and nothing moves")
	}
	time.Sleep(2 * deadman) // a real process: it has nothing to do
	end()
	if at := stamps(t, file); len(at) != 0 {
		t.Errorf("made safe %d times", len(at))
	}
}

// A guard that is killed, or stopped, is known to be gone, and another one comes.
func TestAGuardThatIsGone(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			g, end := start(filepath.Join(t.TempDir(), "safe"))
			defer end()
			lost := make(chan struct{}, 10)
			g.Lost(func() { lost <- struct{}{} })
			g.Beat()
			waitFor(t, "the guard", g.Watching)
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
			waitFor(t, "another guard", func() bool {
				g.Beat()
				return g.Watching()
			})
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

func TestWatchNeedsOrders(t *testing.T) {
	for _, text := range []string{"", "b", "{]\n", strings.Repeat("x", 2*maxOrders)} {
		if err := Watch(strings.NewReader(text), os.Stdout, os.Stderr); err == nil || !strings.Contains(err.Error(), "guard: ") {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}
