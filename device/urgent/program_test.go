//go:build unix

package urgent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// note writes a word into a file, when it is told to if it stands by.
const note = `read -r _; echo done >>"$1"`

// rig is a program that writes done into a file, and what was said of one that ended early.
type rig struct {
	*Program
	script, file string
	early        chan error
}

// newRig starts nothing.
func newRig(t *testing.T, standby bool, script string) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{script: filepath.Join(dir, "script"), file: filepath.Join(dir, "file"), early: make(chan error, 10)}
	if err := os.WriteFile(r.script, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	r.Program = NewProgram(Command{Argv: []string{r.script, r.file}, Standby: standby}, func(err error) { r.early <- err })
	t.Cleanup(r.Close)
	return r
}

func (r *rig) act(t *testing.T) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return r.Act(ctx)
}

// done is how often it has acted.
func (r *rig) done(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(r.file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(text), "done")
}

// TestProgramsGetNoSecrets: they get all else of the environment.
func TestProgramsGetNoSecrets(t *testing.T) {
	t.Setenv("TELEPATH_TOKEN", "hidden")
	t.Setenv("TELEPATH_PROXY", "http://user:hidden@proxy.example")
	t.Setenv("TELEPATH_SERVER", "https://relay.example")
	r := newRig(t, false, `env | grep -E "^(TELEPATH_|PATH=)" >"$1"`)
	if err := r.act(t); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(r.file)
	if err != nil || strings.Contains(string(text), "hidden") || !strings.Contains(string(text), "TELEPATH_SERVER=") || !strings.Contains(string(text), "PATH=") {
		t.Errorf("it gets\n%s%v", text, err)
	}
}

func TestAct(t *testing.T) {
	for name, standby := range map[string]bool{"started then": false, "stands by": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, standby, note)
			r.Stand()
			time.Sleep(50 * time.Millisecond)
			for n := range 3 {
				if got := r.done(t); got != n {
					t.Fatalf("it has acted %d times of %d", got, n)
				}
				if err := r.act(t); err != nil {
					t.Fatal(err)
				}
			}
			r.Close()
			if got := r.done(t); got != 3 {
				t.Errorf("it has acted %d times of 3: the last one was not asked to", got)
			}
		})
	}
}

// Nothing has to be loaded any more: what stands by acts though its file is gone.
func TestStandbyIsLoaded(t *testing.T) {
	r := newRig(t, true, `touch "$1"; `+note)
	r.Stand()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(r.file); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it does not run")
		}
	}
	if err := os.Remove(r.script); err != nil {
		t.Fatal(err)
	}
	if err := r.act(t); err != nil {
		t.Fatal(err)
	}
	if r.done(t) != 1 {
		t.Error("it has not acted")
	}
	if err := r.act(t); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is none any more, and it says %v", err)
	}
}

// Who started it may be gone: the end of its input says so.
func TestStandbyActsAtTheEnd(t *testing.T) {
	r := newRig(t, true, note)
	r.Stand()
	r.mu.Lock()
	s := r.ready
	r.mu.Unlock()
	if err := s.in.Close(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	if r.done(t) != 1 {
		t.Error("it has not acted")
	}
}

// One that does not wait is told of, once, and is started when it is needed.
func TestOneThatDoesNotWait(t *testing.T) {
	for script, reason := range map[string]string{
		`echo done >>"$1"`: "it did not wait",
		`echo first >&2; echo "no motor" >&2; echo done >>"$1"; exit 3`: "no motor",
	} {
		r := newRig(t, true, script)
		r.Stand()
		if err := <-r.early; !strings.Contains(err.Error(), "was to stand by, and has ended: "+reason) {
			t.Error(err)
		}
		err := r.act(t)
		if (err != nil) != (reason == "no motor") || err != nil && err.Error() != reason {
			t.Error(err)
		}
		if got := r.done(t); got < 2 {
			t.Errorf("it has acted %d times", got)
		}
		r.Close()
		if len(r.early) > 1 { // the one that stood by after that, at most
			t.Errorf("%d more words of it", len(r.early))
		}
	}
}

// One that hangs is killed, with what it has started, and another one stands by.
func TestOneThatHangs(t *testing.T) {
	r := newRig(t, true, "read -r _; [ -e \"$1\" ] && exit; touch \"$1\"; sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := r.Act(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := r.act(t); err != nil {
		t.Error(err)
	}
}

// What it has left behind, and goes on, is no failure of its own.
func TestOneThatLeavesSomethingBehind(t *testing.T) {
	r := newRig(t, false, `sleep 2 & echo done >>"$1"`)
	if err := r.act(t); err != nil {
		t.Error(err)
	}
	if r.done(t) != 1 {
		t.Error("it has not acted")
	}
}

func TestNone(t *testing.T) {
	var p *Program
	p.Stand()
	if err := p.Act(t.Context()); err != nil {
		t.Error(err)
	}
	p.Close()
	p = NewProgram(Command{Argv: []string{"/no/such/program"}, Standby: true}, func(err error) {
		if !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
	p.Stand()
	if err := p.Act(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	p.Close()
}
