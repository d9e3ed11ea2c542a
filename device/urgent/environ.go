package urgent

import (
	"os"
	"slices"
	"strings"
)

// secrets are the settings of telepath's programs that hold one, or may: of the server as well, whose environment may be the same.
var secrets = []string{"TELEPATH_TOKEN", "TELEPATH_PROXY", "TELEPATH_TURN_SECRET", "TELEPATH_NATS"}

// Environ is what a program that is started gets of our environment: all but our secrets. It needs none of them, and hands on to
// others what it has, or shows it in what it logs.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(secrets, name)
	})
}
