//go:build unix

package guard

import (
	"os"
	"os/signal"
	"syscall"
)

// steadfast keeps the guard alive when it is told to end together with the agent, which says itself when that is right, and
// when the agent is gone that read its answers. What it starts has the usual signals.
func steadfast() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
}
