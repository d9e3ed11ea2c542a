//go:build unix && !linux

package exec

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup has a program begin a process group. On this system one outlives us when we are killed.
func ownGroup(cmd *exec.Cmd, _ bool) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func endGroup(p *os.Process, atOnce bool) error {
	if atOnce {
		return syscall.Kill(-p.Pid, syscall.SIGKILL)
	}
	return syscall.Kill(-p.Pid, syscall.SIGTERM)
}
