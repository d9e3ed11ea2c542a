package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("PROGRAM_TEST"); dir != "" {
		haveProgramsIn(dir)
	}
	os.Exit(m.Run())
}

// haveProgramsIn starts one of each sort, which say their process ids, and waits.
func haveProgramsIn(dir string) {
	owner := fmt.Sprintf("touch %[1]s/$$; trap 'rm %[1]s/$$; exit' TERM; echo $$; while :; do sleep 0.05; done", dir)
	_, err := Start(Spec{Args: []string{"sh", "-c", "echo $$; exec sleep 1000"}, OnLine: func(l Line) { fmt.Println(l.Text) }})
	if err == nil {
		_, err = Start(Spec{Args: []string{"sh", "-c", owner}, Tidies: true, OnLine: func(l Line) { fmt.Println(l.Text) }})
	}
	if err == nil {
		cmd := exec.Command("sh", "-c", owner)
		cmd.Stdout = os.Stdout
		err = Run(cmd)
	}
	fmt.Fprintln(os.Stderr, "it is over:", err)
	time.Sleep(time.Minute) // the end of the process comes first
	os.Exit(1)
}

// What was started ends with who started it, and takes away what it has.
func TestProgramsEndWithTheProcess(t *testing.T) {
	dir := t.TempDir()
	p, err := Start(Spec{Args: []string{"env", "PROGRAM_TEST=" + dir, os.Args[0]}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.WaitFor(regexp.MustCompile(`^\d+$`), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); strings.Count(p.Output(), "\n") < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(p.Tail(10))
		}
	}
	if err := syscall.Kill(p.PID(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code, err := p.Wait(10 * time.Second); err != nil || code != 128+int(syscall.SIGINT) {
		t.Errorf("exit %d, %v\n%s", code, err, p.Tail(10))
	}
	for _, line := range strings.Fields(p.Output()) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d goes on", pid)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
