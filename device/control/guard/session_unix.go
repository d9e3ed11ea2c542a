//go:build unix

package guard

import (
	"os/exec"
	"syscall"
)

// ownSession keeps signals from the guard that are meant for who started it: Ctrl-C and Ctrl-Z in a terminal.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
