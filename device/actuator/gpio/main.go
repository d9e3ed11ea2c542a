package gpio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What Main does.
const (
	holdMode = "hold"
	safeMode = "safe"
)

// Main is the process that holds the pins ("hold"), or the one that makes them safe from outside ("safe"). Its arguments are the
// agent's; it returns when it is done.
func Main(args []string, in io.Reader, out, log io.Writer) error {
	return act(args, takePin, in, out, log)
}

func act(args []string, on taker, in io.Reader, out, log io.Writer) error {
	if len(args) != 3 || args[0] != holdMode && args[0] != safeMode {
		return errors.New("pins: they are held by a process that the agent starts")
	}
	var p plan
	if err := json.Unmarshal([]byte(args[2]), &p); err != nil {
		return fmt.Errorf("pins: what is to be held: %w", err)
	}
	steadfast()
	if args[0] == safeMode {
		return makeSafe(args[1], p, on, in)
	}
	return hold(args[1], p, on, in, out, log)
}
