//go:build linux

package urgent

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStart: the program is urgent, and nothing of this one is.
func TestStart(t *testing.T) {
	cmd := exec.Command("cat")
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := hold.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	if got := policy(t, cmd.Process.Pid); mayBeUrgent(t) && got != unix.SCHED_RR {
		t.Errorf("the program has policy %d, want %d", got, unix.SCHED_RR)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		if got := policy(t, id); got != unix.SCHED_NORMAL {
			t.Errorf("a thread of this program has policy %d", got)
		}
	}
}

func policy(t *testing.T, id int) uint32 {
	t.Helper()
	attr, err := unix.SchedGetAttr(id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return attr.Policy
}

// mayBeUrgent asks the system with a program of its own: chrt (util-linux).
func mayBeUrgent(t *testing.T) bool {
	t.Helper()
	return exec.Command("chrt", "--rr", "1", "true").Run() == nil
}

// TestMissing: what cannot be started says so, and leaves the thread as it was.
func TestMissing(t *testing.T) {
	if err := Start(exec.Command("/no/such/program")); err == nil {
		t.Error("no error")
	}
}
