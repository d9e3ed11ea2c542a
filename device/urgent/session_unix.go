//go:build unix

package urgent

import (
	"os"
	"os/exec"
	"syscall"
)

// OwnSession keeps signals from a program that are meant for who started it: Ctrl-C and Ctrl-Z in a terminal.
func OwnSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// kill ends a program in a session of its own, with what it has started.
func kill(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) } // that it is gone already is as well
