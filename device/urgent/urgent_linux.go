package urgent

import (
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

var ahead = unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}

// Start is cmd.Start with Environ, for a program that is to come before all that is not urgent. What that starts is urgent, too.
func Start(cmd *exec.Cmd) error {
	cmd.Env = Environ()
	started := make(chan error)
	go func() { started <- start(cmd) }()
	return <-started
}

// start has a thread for itself, which is urgent while it starts the program: a process has the priority of the thread that makes it,
// and so has each of its threads from the first.
func start(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	usual, err := unix.SchedGetAttr(0, 0)
	if err == nil {
		err = unix.SchedSetAttr(0, &ahead, 0)
	}
	if err != nil { // it is not allowed
		runtime.UnlockOSThread()
		return cmd.Start()
	}
	err = cmd.Start()
	if unix.SchedSetAttr(0, usual, 0) == nil {
		runtime.UnlockOSThread() // otherwise the thread ends with this goroutine
	}
	return err
}
