// Package actuator says what moves something at a device: it offers methods
// and axes, and does what it is told. Its sub-packages are the actuators that
// come with the agent.
//
// Who may tell it, when, how far and how fast is decided before it is reached,
// by the device's authority (device/control). An actuator knows neither
// operators nor a network, and checks nothing of that again.
package actuator

import (
	"context"
	"encoding/json"

	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// Actuator moves something.
//
// Apply is called one at a time, and so is Call; Safe at any time, also while
// one of these is under way: then it wins, and an Apply that it meets sets
// nothing any more.
type Actuator interface {
	// Axes is what it moves; may be empty. It never changes.
	Axes() []rpc.Axis

	// Methods is what may be called; may be empty. It never changes.
	Methods() []rpc.Method

	// Apply sets axes, by their ID, to values that are within range and slew.
	// Applied is what was really set. It must return within a few ms: what is
	// slower is done behind its back.
	Apply(values map[uint64]float64) (applied map[uint64]float64, err error)

	// Safe brings everything to where it is safe: each axis to its neutral. It
	// may be called again and again, and is quick.
	Safe() error

	// Call runs a method. Params fit the method's schema, and have its defaults
	// where nothing was given. Progress, from 0 to 1, may be told from this
	// goroutine until Call returns. A ctx that ends asks it to end. An error says
	// that it did not succeed, and why, for people; the result is JSON, or nil.
	Call(ctx context.Context, method string, params json.RawMessage, progress func(float64)) (json.RawMessage, error)
}

// Reporter is an actuator that sets axes behind the back of Apply.
type Reporter interface {
	// Report names who is told, from any goroutine, what was really set, and at once why something was not: then everything is
	// made safe. It is called once, before anything is set. Neither may be told with a lock held that Apply or Safe needs.
	Report(applied func(values map[uint64]float64), failed func(err error))
}

// Guarded is an actuator that another program can make safe, when this one was killed or does not run.
type Guarded interface {
	// SafeCommand is the program to run; one without Argv: there is none.
	SafeCommand() urgent.Command
}
