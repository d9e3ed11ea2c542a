package exec

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup has a program begin a process group. When we are killed it is told to end, or ends at once: nobody can call it off any more.
func ownGroup(cmd *exec.Cmd, atOnce bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if atOnce {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
}

func endGroup(p *os.Process, atOnce bool) error {
	if atOnce {
		return syscall.Kill(-p.Pid, syscall.SIGKILL)
	}
	return syscall.Kill(-p.Pid, syscall.SIGTERM)
}
