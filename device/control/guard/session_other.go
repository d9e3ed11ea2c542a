//go:build !unix

package guard

import "os/exec"

// ownSession does nothing: such signals are not known here.
func ownSession(*exec.Cmd) {}

func steadfast() {}
