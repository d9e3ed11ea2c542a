//go:build linux

package gpio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// boardVariable names a folder whose files are pins: what a process of this test is told to hold. A file is locked while its
// pin is held, and keeps what was set, as a line and its chip do.
const boardVariable = "TELEPATH_TEST_BOARD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(boardVariable); dir != "" && len(os.Args) > 3 {
		if err := act(os.Args[1:], folder(dir).take, os.Stdin, os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

type folder string

func (dir folder) take(o Output, level uint64) (output, error) {
	f, err := os.OpenFile(filepath.Join(string(dir), o.Pin), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(errBusy, f.Close())
	}
	return filePin{f}, filePin{f}.set(level)
}

type filePin struct{ *os.File }

func (p filePin) set(level uint64) error {
	_, err := p.WriteAt([]byte{'0' + byte(level)}, 0)
	return err
}

func (p filePin) release() { _ = p.Close() }

// board is a folder with two pins, and an actuator that moves them.
type board struct {
	*GPIO
	dir string

	mu       sync.Mutex
	reported []map[uint64]float64 // guarded by mu, like failed
	failed   []error
}

func newBoard(t testing.TB) *board {
	t.Helper()
	b := &board{dir: t.TempDir()}
	t.Setenv(boardVariable, b.dir)
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	for _, pin := range []string{"A", "B"} {
		if err := os.WriteFile(filepath.Join(b.dir, pin), []byte("1"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if b.GPIO, err = New(Config{
		Axes:    []Axis{lineAxis("lamp", "A")},
		Methods: []Method{{Method: rpc.Method{Name: "horn"}, Output: Output{Pin: "B"}, For: 10 * time.Second}},
		Argv:    []string{self}, Dir: filepath.Join(b.dir, strings.Repeat("long", 40)), // longer than the path of a socket may be
	}); err != nil {
		t.Fatal(err)
	}
	b.Report(func(values map[uint64]float64) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.reported = append(b.reported, values)
	}, func(err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.failed = append(b.failed, err)
	})
	if err := b.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		b.await(t, "00")
	})
	b.await(t, "00")
	return b
}

// failure is what was told first.
func (b *board) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.failed) == 0 {
		return nil
	}
	return b.failed[0]
}

func (b *board) levels(t testing.TB) (levels string) {
	t.Helper()
	for _, pin := range []string{"A", "B"} {
		text, err := os.ReadFile(filepath.Join(b.dir, pin))
		if err != nil {
			t.Fatal(err)
		}
		levels += string(text)
	}
	return levels
}

func (b *board) await(t testing.TB, want string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); b.levels(t) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the pins are %s, want %s", b.levels(t), want)
		}
	}
}

func (b *board) light(t testing.TB) {
	t.Helper()
	applied, err := b.Apply(map[uint64]float64{1: 0.7})
	if err != nil || applied[1] != 1 {
		t.Fatal(applied, err)
	}
	b.await(t, "10")
}

func (b *board) holder() *process { return b.GPIO.await(5 * time.Second) }

// makeSafe runs the guard's command.
func (b *board) makeSafe(t testing.TB) error {
	t.Helper()
	p := urgent.NewProgram(b.SafeCommand(), func(err error) { t.Error(err) })
	defer p.Close()
	p.Stand()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return p.Act(ctx)
}

func TestPins(t *testing.T) {
	b := newBoard(t)
	b.light(t)
	if err := b.Safe(); err != nil {
		t.Error(err)
	}
	b.await(t, "00")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := b.Call(ctx, "horn", nil, nil)
		ended <- err
	}()
	b.await(t, "01")
	b.light2(t, "11")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b.await(t, "10")
	if _, err := b.Call(t.Context(), "no", nil, nil); err == nil {
		t.Error("there is no such method")
	}
}

func (b *board) light2(t *testing.T, want string) {
	t.Helper()
	if _, err := b.Apply(map[uint64]float64{1: 1}); err != nil {
		t.Error(err)
	}
	b.await(t, want)
}

// A process that is killed has a successor, with all safe; who drove is told, once, and may begin anew.
func TestHolderIsKilled(t *testing.T) {
	b := newBoard(t)
	b.light(t)
	first := b.holder()
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	b.await(t, "00")
	<-first.ended
	if b.holder() == first {
		t.Error("it is still asked")
	}
	for end := time.Now().Add(5 * time.Second); b.failure() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is not told before something is set")
		}
	}
	if _, err := b.Apply(map[uint64]float64{1: 1}); err == nil || !strings.Contains(err.Error(), "the pin process has ended") {
		t.Error(err)
	}
	if got := b.levels(t); got != "00" {
		t.Errorf("%s: it moves on as if nothing had been", got)
	}
	if err := b.Safe(); err != nil {
		t.Error(err)
	}
	b.light(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.reported) != 1 || b.reported[0][1] != 0 {
		t.Errorf("reported: %v", b.reported)
	}
}

// One that does not answer is killed, whoever notices: who sets, who makes safe, the guard, or who looks now and then.
func TestHolderHangs(t *testing.T) {
	for name, notices := range map[string]func(t *testing.T, b *board) error{
		"set": func(_ *testing.T, b *board) error {
			if _, err := b.Apply(map[uint64]float64{1: 0}); err == nil {
				return errors.New("it was set")
			}
			return nil
		},
		"by itself": func(*testing.T, *board) error { return nil },
		"safe":      func(_ *testing.T, b *board) error { return b.Safe() },
		"guard":     func(t *testing.T, b *board) error { return b.makeSafe(t) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBoard(t)
			b.light(t)
			if err := b.holder().cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			if err := notices(t, b); err != nil {
				t.Error(err)
			}
			b.await(t, "00")
			if err := b.Safe(); err != nil {
				t.Error(err)
			}
			b.light(t)
		})
	}
}

// The guard's command reaches the process that holds the pins, which goes on.
func TestGuardKnocks(t *testing.T) {
	b := newBoard(t)
	for range 3 {
		b.light(t)
		if err := b.makeSafe(t); err != nil {
			t.Error(err)
		}
		if got := b.levels(t); got != "00" {
			t.Errorf("it says that all is safe, and the pins are %s", got)
		}
	}
}

// Where nobody holds the pins, the guard's command takes them.
func TestNobodyHolds(t *testing.T) {
	b := newBoard(t)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pin := range []string{"A", "B"} {
		if err := os.WriteFile(filepath.Join(b.dir, pin), []byte("1"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.makeSafe(t); err != nil {
		t.Error(err)
	}
	if got := b.levels(t); got != "00" {
		t.Error(got)
	}
	if err := os.Remove(filepath.Join(b.dir, "B")); err != nil {
		t.Fatal(err)
	}
	if err := b.makeSafe(t); err == nil || !strings.Contains(err.Error(), `method "horn"`) {
		t.Errorf("a pin is gone, and it says %v", err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "B"), []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What cannot be had is said, with its place.
func TestNoSuchPin(t *testing.T) {
	b := newBoard(t)
	c := b.cfg
	c.Axes, c.Methods, c.Dir = []Axis{lineAxis("lamp", "C")}, nil, t.TempDir()
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var placed *Error
	if err := g.Open(); !errors.As(err, &placed) || strings.Join(placed.Place, "/") != "axes/0" || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	c.Argv = []string{"/bin/false"}
	if g, err = New(c); err != nil {
		t.Fatal(err)
	}
	if err := g.Open(); err == nil || err.Error() != "the pin process: it has ended" {
		t.Error(err)
	}
}

// It is no program for people.
func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"hold"}, {"hold", "/", "rubbish"}, {"rubbish", "/", "{}"}} {
		if err := act(args, takePin, strings.NewReader(""), nil, nil); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

// This machine's own pins: whatever it has, it says so, and does not fall over.
func TestThisMachine(t *testing.T) {
	for _, o := range []Output{{Pin: "no such line"}, {PWM: "no such chip/0"}} {
		if _, err := takePin(o, 0); err == nil || len(err.Error()) > 2000 {
			t.Error(err)
		}
	}
}

// How long it takes from what happens to the holder until all is safe: by its successor, or by the guard's command, which stands by.
func BenchmarkUntilSafe(b *testing.B) {
	for name, do := range map[string]func(pins *board, guard *urgent.Program) error{
		"guard, holder runs": func(_ *board, guard *urgent.Program) error { return guard.Act(b.Context()) },
		"guard, holder stopped": func(pins *board, guard *urgent.Program) error {
			if err := pins.holder().cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				return err
			}
			return guard.Act(b.Context())
		},
		"holder killed": func(pins *board, _ *urgent.Program) error { return pins.holder().cmd.Process.Kill() },
	} {
		b.Run(name, func(b *testing.B) {
			pins := newBoard(b)
			guard := urgent.NewProgram(pins.SafeCommand(), func(err error) { b.Error(err) })
			defer guard.Close()
			var worst time.Duration
			for b.Loop() {
				b.StopTimer()
				if err := pins.Safe(); err != nil {
					b.Fatal(err)
				}
				guard.Stand()
				time.Sleep(50 * time.Millisecond)
				pins.light(b)
				began := time.Now()
				b.StartTimer()
				if err := do(pins, guard); err != nil {
					b.Fatal(err)
				}
				pins.await(b, "00")
				worst = max(worst, time.Since(began))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "ms-worst")
		})
	}
}
