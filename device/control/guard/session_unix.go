//go:build unix

package guard

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// ownSession keeps signals from the guard that are meant for who started it: Ctrl-C and Ctrl-Z in a terminal.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// steadfast keeps the guard alive when it is told to end together with the agent, which says itself when that is right, and
// when the agent is gone that read its answers. What it starts has the usual signals.
func steadfast() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
}
