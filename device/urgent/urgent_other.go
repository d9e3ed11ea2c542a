//go:build !linux

package urgent

import "os/exec"

// Start is cmd.Start with Environ: there is no way known here to bring a program before others.
func Start(cmd *exec.Cmd) error {
	cmd.Env = Environ()
	return cmd.Start()
}
