package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/device/control/guard"
	"github.com/telepath-iot/telepath/device/disk"
)

// Control says what may be done with the device, by operators: package device/control. Without actuators it takes no commands.
type Control struct {
	Actuators []actuator.Actuator // what moves, and what may be called
	Name      string              // of the machine, for people; default ""
	Deadman   time.Duration       // default 300 ms, at least 100 ms: without a valid heartbeat for so long everything is made safe
	Age       time.Duration       // default 500 ms: how old what an operator has seen last may be
	Simulated bool                // nothing real moves
	// Guard is a program that calls guard.Watch, with its arguments; telepath-device is one, called with "guard". It makes safe
	// what can be made safe from outside (actuator.Guarded) when this program cannot. Default: nothing does.
	Guard []string
}

// openControl makes the authority, which keeps its journal in Dir/control.
func (a *Agent) openControl() error {
	c := a.config.Control
	if len(c.Actuators) == 0 {
		return nil
	}
	config := control.Config{
		Name: c.Name, Actuators: c.Actuators, Deadman: c.Deadman, Age: c.Age, Simulated: c.Simulated,
		FS: disk.OS{Dir: filepath.Join(a.config.Dir, "control")}, Sink: sink{a}, Log: a.config.Log,
	}
	if commands := c.safeCommands(); len(commands) > 0 && len(c.Guard) > 0 {
		a.guard = guard.New(guard.Config{Argv: c.Guard, Deadman: c.deadman(), Commands: commands, Log: a.config.Log})
		config.Guard = a.guard
	}
	var err error
	if a.control, err = control.New(config); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	return nil
}

func (c Control) deadman() time.Duration {
	if c.Deadman == 0 {
		return control.DefaultDeadman
	}
	return c.Deadman
}

// safeCommands are the programs that make things safe from outside.
func (c Control) safeCommands() (commands [][]string) {
	for _, act := range c.Actuators {
		g, ok := act.(actuator.Guarded)
		if !ok {
			continue
		}
		if argv := g.SafeCommand(); len(argv) > 0 {
			commands = append(commands, argv)
		}
	}
	return commands
}

// runControl obeys commands until ctx ends, and returns when everything is safe. The guard goes last.
func (a *Agent) runControl(ctx context.Context) error {
	if a.control == nil {
		<-ctx.Done()
		return nil
	}
	guarded, end := context.WithCancel(context.WithoutCancel(ctx))
	var task sync.WaitGroup
	defer task.Wait()
	defer end()
	if a.guard != nil {
		task.Go(func() { _ = a.guard.Run(guarded) }) // always nil
	}
	return a.control.Run(ctx)
}
