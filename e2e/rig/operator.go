package rig

import (
	"strings"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// Command starts `telepath COMMAND` with a role's token: telepath call, stop, reset, methods.
func (r *Rig) Command(on *lab.Host, role, command string, args ...string) (*program.Program, error) {
	return r.Start(on, program.Spec{Name: "telepath " + command, Args: r.telepath(role, command, args)})
}

// Drive starts `telepath drive DEVICE` in a terminal of its own. What is written to it is typed there, with a key behind it
// that means nothing (the end of the line).
func (r *Rig) Drive(on *lab.Host, role, device string, args ...string) (*program.Program, error) {
	line := r.telepath(role, "drive", append([]string{device}, args...))
	return r.Start(on, program.Spec{
		Name:  "telepath drive",
		Stdin: true,
		Args:  []string{"script", "--quiet", "--return", "--flush", "--command", strings.Join(line, " "), "/dev/null"},
	})
}
