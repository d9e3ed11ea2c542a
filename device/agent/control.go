package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/device/control/guard"
	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/urgent"
)

// Control says what may be done with the device, by operators: package device/control. Without actuators it takes no commands.
type Control struct {
	Actuators []actuator.Actuator // what moves, and what may be called; those that are an io.Closer are closed when all is safe at the end
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
func (c Control) safeCommands() (commands []urgent.Command) {
	for _, act := range c.Actuators {
		g, ok := act.(actuator.Guarded)
		if !ok {
			continue
		}
		if command := g.SafeCommand(); len(command.Argv) > 0 {
			commands = append(commands, command)
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
	err := a.control.Run(ctx)
	for _, act := range a.config.Control.Actuators {
		if c, ok := act.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
	}
	return err
}
