package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// rover is a device's program that can be commanded: `rover URL TOKEN DIR`. It prints a line for each time that it moves.
func rover() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	a, err := agent.New(agent.Config{
		Server: os.Args[1], Token: os.Args[2], Dir: os.Args[3], Name: "rover",
		Control: agent.Control{Actuators: []actuator.Actuator{wheels{}}, Name: "rover", Simulated: true},
	})
	if err == nil {
		err = a.Run(ctx)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// wheels are an actuator that moves nothing.
type wheels struct{}

func (wheels) Axes() []rpc.Axis {
	return []rpc.Axis{{ID: 1, Name: "drive", Min: -1, Max: 1, Unit: "m/s"}, {ID: 2, Name: "turn", Min: -1, Max: 1}}
}

func (wheels) Methods() []rpc.Method {
	return []rpc.Method{
		{
			Name: "honk", Help: "The horn.",
			Params: json.RawMessage(`{"type": "object", "properties": {"times": {"type": "integer", "minimum": 1, "maximum": 5}}}`),
		},
		{Name: "look", Help: "Looks around."},
		{Name: "fail", Help: "Does not succeed."},
		{Name: "park", Help: "Goes home.", Lease: true},
		{Name: "melt", Help: "Nothing is left.", Lease: true, Danger: true},
	}
}

func (wheels) Apply(values map[uint64]float64) (map[uint64]float64, error) {
	fmt.Printf("moves %v\n", values)
	return values, nil
}

func (wheels) Safe() error { return nil }

func (wheels) Call(ctx context.Context, method string, _ json.RawMessage, progress func(float64)) (json.RawMessage, error) {
	switch method {
	case "fail":
		return nil, errors.New("the wheel is off")
	case "look":
		for _, done := range []float64{0.25, 0.75} {
			progress(done)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return json.RawMessage(`{"did":"` + method + `"}`), nil
}

var _ actuator.Actuator = wheels{}
