//go:build unix

package exec

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// TestProgramsGetNoSecrets: what is told to them they get, and of our settings what is no secret.
func TestProgramsGetNoSecrets(t *testing.T) {
	secrets := []string{"TELEPATH_TOKEN", "TELEPATH_PROXY", "TELEPATH_TURN_SECRET", "TELEPATH_NATS"}
	for _, name := range secrets {
		t.Setenv(name, "hidden")
	}
	t.Setenv("TELEPATH_SERVER", "https://relay.example")
	e, err := New(Config{Methods: []Method{{Method: rpc.Method{Name: "env"}, Run: []string{"sh", "-c", "env | grep ^TELEPATH_"}}}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := e.Call(t.Context(), "env", nil, func(float64) {})
	var text string
	if err != nil || json.Unmarshal(raw, &text) != nil {
		t.Fatalf("%s, %v", raw, err)
	}
	if strings.Contains(text, "hidden") || !strings.Contains(text, "TELEPATH_SERVER=https://relay.example\n") || !strings.Contains(text, "TELEPATH_METHOD=env\n") {
		t.Errorf("the program gets\n%s", text)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func method(name string, argv ...string) Method {
	return Method{Method: rpc.Method{Name: name}, Run: argv}
}

func TestCall(t *testing.T) {
	e, err := New(Config{Methods: []Method{
		method("echo", "printf", "%s|", "{a}", "b={b}", "$HOME;{c}", "{missing}"),
		method("json", "printf", `{"on": true}`),
		method("env", "sh", "-c", `echo "$TELEPATH_METHOD $TELEPATH_PARAMS"`),
		method("nothing", "true"),
		method("fails", "sh", "-c", "echo first >&2; echo 'no motor' >&2; exit 3"),
		method("silent", "false"),
		method("none", "/does/not/exist"),
		method("long", "sh", "-c", "echo progress 0.25; echo progress 1; echo ready"),
		method("leaves", "sh", "-c", "echo ready; sleep 2 &"),
		method("flood", "sh", "-c", "yes | head -c 1000000; echo end"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, params, result, failure string }{
		{"echo", `{"a": "-x '\" *", "b": 1.5, "c": true}`, `"-x '\" *|b=1.5|$HOME;true||"`, ""},
		{"json", ``, `{"on": true}`, ""},
		{"env", `{"a":1}`, `"env {\"a\":1}"`, ""},
		{"nothing", ``, ``, ""},
		{"fails", ``, ``, "no motor"},
		{"silent", ``, ``, "false: exit status 1"},
		{"none", ``, ``, "no such file"},
		{"long", ``, `"ready"`, ""},
		{"leaves", ``, `"ready"`, ""}, // a child that holds its output
	} {
		result, err := e.Call(t.Context(), c.method, json.RawMessage(c.params), func(float64) {})
		if string(result) != c.result || (err == nil) != (c.failure == "") || err != nil && !strings.Contains(err.Error(), c.failure) {
			t.Errorf("%s: %s, %v", c.method, result, err)
		}
	}
	var told []float64
	if _, err := e.Call(t.Context(), "long", nil, func(p float64) { told = append(told, p) }); err != nil || len(told) != 2 || told[0] != 0.25 {
		t.Errorf("%v, %v", told, err)
	}
	result, err := e.Call(t.Context(), "flood", nil, nil)
	if err != nil || len(result) > 2*maxOutput || !strings.Contains(string(result), "end") {
		t.Errorf("%d bytes, %v", len(result), err)
	}
}

// A program that is called off ends with all that it has started, also if it does not want to.
func TestCallEndsTheGroup(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	script := `trap "" TERM; sleep 60 & echo $! >> ` + pids + `; echo $$ >> ` + pids + `; while :; do sleep 60; done`
	e, err := New(Config{Methods: []Method{method("long", "sh", "-c", script)}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := e.Call(ctx, "long", nil, func(float64) {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for _, pid := range numbers(t, pids, 2) {
		waitFor(t, "the end of a process", func() bool { return !alive(pid) })
	}
}

// alive says whether a process is there that has not ended: one that nobody has waited for yet is not.
func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "stat"))
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !os.IsNotExist(err)
	}
	return !strings.Contains(string(stat), ") Z ")
}

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ready(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func axis(t *testing.T, script, safe string) (*Exec, *reports) {
	t.Helper()
	e, err := New(Config{
		Axes: []Axis{{Axis: rpc.Axis{ID: 1, Name: "speed", Min: -9, Max: 9}, Set: []string{"sh", "-c", script, "sh", "{value}"}}},
		Safe: urgent.Command{Argv: []string{"sh", "-c", safe}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &reports{}
	e.Report(r.add, r.fail)
	t.Cleanup(func() { _ = e.Safe() })
	return e, r
}

// reports is what was said to have been set.
type reports struct {
	mu     sync.Mutex
	values []float64
	failed []string
}

func (r *reports) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, err.Error())
}

func (r *reports) failures() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.failed)
}

func (r *reports) add(values map[uint64]float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values = append(r.values, values[1])
}

func (r *reports) last() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.values) == 0 {
		return 0
	}
	return r.values[len(r.values)-1]
}

// Programs are slower than values: the newest is set, and those between may be left out.
func TestApply(t *testing.T) {
	file := filepath.Join(t.TempDir(), "set")
	e, r := axis(t, "echo $1 >> "+file, "echo 0 >> "+file)
	for i := range 200 {
		if _, err := e.Apply(map[uint64]float64{1: float64(i) / 100}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "the last value", func() bool { return r.last() == 1.99 })
	if err := e.Safe(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(read(t, file))
	if n := len(lines); n > 100 || lines[n-1] != "0" || lines[n-2] != "1.99" {
		t.Errorf("%v", lines)
	}
}

// What sets something ends before all is made safe: nothing is set behind it.
func TestSafeIsLast(t *testing.T) {
	file := filepath.Join(t.TempDir(), "set")
	e, _ := axis(t, "echo begins >> "+file+"; sleep 0.3; echo $1 >> "+file, "echo safe >> "+file)
	for _, v := range []float64{1, 2} {
		if _, err := e.Apply(map[uint64]float64{1: v}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "the first program", func() bool { return read(t, file) != "" })
	begun := time.Now()
	if err := e.Safe(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 250*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	time.Sleep(400 * time.Millisecond) // real programs: nothing may come of them any more
	if got := read(t, file); got != "begins\nsafe\n" {
		t.Errorf("%q", got)
	}
}

// A program that hangs in the kernel is not gone when it is killed: all is made safe all the same, and it is said.
func TestSafeWaitsForNobody(t *testing.T) {
	file := filepath.Join(t.TempDir(), "set")
	e, _ := axis(t, "true", "echo safe >> "+file)
	stuck := e.setters[1]
	stuck.cancel, stuck.gone = func() {}, make(chan struct{})
	begun := time.Now()
	err := e.Safe()
	if took := time.Since(begun); took > time.Second || read(t, file) != "safe\n" {
		t.Errorf("after %v: %q", took, read(t, file))
	}
	if err == nil || err.Error() != `axis "speed": the program that sets it does not end` {
		t.Error(err)
	}
	stuck.cancel = nil
	if err := e.Safe(); err != nil {
		t.Error(err)
	}
}

func TestWhatFailsIsSaid(t *testing.T) {
	e, r := axis(t, "echo 'no such pin' >&2; exit 1", "echo stuck >&2; exit 1")
	if _, err := e.Apply(map[uint64]float64{1: 1}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the failure", func() bool { return len(r.failures()) > 0 }) // without another value
	if got := r.failures(); !slices.Equal(got, []string{`axis "speed": no such pin`}) {
		t.Error(got)
	}
	if err := e.Safe(); err == nil || err.Error() != "safe: stuck" {
		t.Error(err)
	}
}

// What is left of a program that has ended well is no reason to say that it does not end: it goes with it.
func TestSafeEndsWhatIsLeft(t *testing.T) {
	file := filepath.Join(t.TempDir(), "set")
	e, r := axis(t, "sleep 60 & echo $! > "+file, "true")
	if _, err := e.Apply(map[uint64]float64{1: 1}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the program", func() bool { return strings.HasSuffix(read(t, file), "\n") })
	time.Sleep(50 * time.Millisecond) // a real program: it ends
	if err := e.Safe(); err != nil {
		t.Error(err)
	}
	child := numbers(t, file, 1)[0]
	waitFor(t, "the end of its child", func() bool { return !alive(child) })
	if got := r.failures(); got != nil {
		t.Error(got)
	}
}

// A program that was killed since all is made safe has not failed.
func TestWhatIsKilledHasNotFailed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "set")
	e, r := axis(t, "echo begins >> "+file+"; sleep 60", "true")
	if _, err := e.Apply(map[uint64]float64{1: 1}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the program", func() bool { return read(t, file) != "" })
	if err := e.Safe(); err != nil {
		t.Fatal(err)
	}
	e.setters[1].mu.Lock() // what was told before it was gone has been told by now, or never will be
	defer e.setters[1].mu.Unlock()
	if got := r.failures(); got != nil {
		t.Error(got)
	}
}

func TestWhatIsMissing(t *testing.T) {
	for _, c := range []Config{
		{Axes: []Axis{{Axis: rpc.Axis{Name: "a"}, Set: []string{"true"}}}},
		{Axes: []Axis{{Axis: rpc.Axis{Name: "a"}}}, Safe: urgent.Command{Argv: []string{"true"}}},
		{Methods: []Method{{Method: rpc.Method{Name: "a"}}}},
		{Safe: urgent.Command{Standby: true}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "is missing") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}
