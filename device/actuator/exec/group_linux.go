package exec

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup has a program begin a process group. One that dies with us does so also when we are killed.
func ownGroup(cmd *exec.Cmd, dies bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if dies {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
}

func endGroup(p *os.Process, atOnce bool) error {
	if atOnce {
		return syscall.Kill(-p.Pid, syscall.SIGKILL)
	}
	return syscall.Kill(-p.Pid, syscall.SIGTERM)
}
