//go:build !unix

package urgent

import (
	"os"
	"os/exec"
)

// OwnSession does nothing: such signals are not known here.
func OwnSession(*exec.Cmd) {}

func kill(p *os.Process) { _ = p.Kill() } // that it is gone already is as well
