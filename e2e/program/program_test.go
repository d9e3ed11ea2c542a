package program

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestProgramSpeaksAndEnds(t *testing.T) {
	p, err := Start(Spec{Args: []string{"sh", "-c", `echo ready on 7; read line; echo "got $line"; echo oops >&2; exit 3`}, Stdin: true})
	if err != nil {
		t.Fatal(err)
	}
	found, err := p.WaitFor(regexp.MustCompile(`ready on (\d+)`), 5*time.Second)
	if err != nil || found[1] != "7" {
		t.Fatal(found, err)
	}
	if err := p.Write("word"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.WaitFor(regexp.MustCompile(`got word`), 5*time.Second); err != nil {
		t.Error(err)
	}
	if code, err := p.Wait(5 * time.Second); code != 3 || err != nil {
		t.Error(code, err)
	}
	if out := p.Output(); out != "ready on 7\ngot word\n" {
		t.Errorf("output %q", out)
	}
	if !strings.Contains(p.Tail(10), "! oops") {
		t.Errorf("standard error is not in the tail: %s", p.Tail(10))
	}
}

func TestWaitForTellsWhatWasSaid(t *testing.T) {
	p, err := Start(Spec{Args: []string{"sh", "-c", "echo something else"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.WaitFor(regexp.MustCompile("ready"), 5*time.Second)
	if err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("got %v", err)
	}
}

func TestKillReachesChildren(t *testing.T) {
	p, err := Start(Spec{Args: []string{"sh", "-c", "sleep 60 & echo up; wait"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.WaitFor(regexp.MustCompile("up"), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	p.Kill() // returns only when the pipe that the child holds is closed
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
