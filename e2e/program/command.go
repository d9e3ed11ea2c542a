package program

import (
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Begin starts a command whose output goes where the command says, and returns what waits for its end. It and its children end
// with this process, if that is told to end, and have time to take away what they have.
func Begin(cmd *exec.Cmd) (wait func() error, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ended := make(chan struct{})
	tell := func(s syscall.Signal) { _ = syscall.Kill(-cmd.Process.Pid, s) } // it may be gone
	forget, err := tidy.Make(cmd.Start, func() { tell(syscall.SIGTERM) }, func() {
		select {
		case <-ended:
		case <-time.After(tidyTime):
			tell(syscall.SIGKILL)
		}
	})
	return func() error {
		defer forget()
		defer close(ended)
		return cmd.Wait()
	}, err
}

// Run is Begin and its wait.
func Run(cmd *exec.Cmd) error {
	wait, err := Begin(cmd)
	if err != nil {
		return err
	}
	return wait()
}

// Build builds a program of e2e, by its name, into a file.
func Build(path, name string) error {
	cmd := exec.Command("go", "build", "-o", path, "github.com/telepath-iot/telepath/e2e/"+name)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := Run(cmd); err != nil {
		return fmt.Errorf("build %s: %w: %s", name, err, &said)
	}
	return nil
}
