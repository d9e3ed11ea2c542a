package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/e2e/rig"
)

const (
	logOfControl = "control/log"
	hornStream   = "rover/horn"
)

// running is what `telepath call` says when the device runs a method.
var running = regexp.MustCompile(`^running`)

// isControl matches a fresh value of a device's control/NAME.
func isControl(name, value string) func(rig.Event) bool {
	return func(e rig.Event) bool {
		return e.Type == "sample" && e.Stream == "control/"+name && string(e.Value) == value
	}
}

// isLogged matches an entry of a device's log of control with all of these parts.
func isLogged(parts ...string) func(rig.Event) bool {
	return func(e rig.Event) bool {
		return e.Type == "sample" && e.Stream == logOfControl && hasAll(e.String(), parts)
	}
}

func isText(stream, text string) func(rig.Event) bool {
	return func(e rig.Event) bool { return e.Type == "sample" && e.Stream == stream && e.String() == text }
}

func hasAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// texts are all that a viewer has seen of a stream.
func texts(t *testing.T, v *rig.Watcher, stream string) (all []string) {
	t.Helper()
	events, err := v.Events()
	must(t, err)
	for _, e := range events {
		if e.Type == "sample" && e.Stream == stream {
			all = append(all, e.String())
		}
	}
	return all
}
