package machine

import (
	"math"
	"time"

	"github.com/telepath-iot/telepath/device/machine/cartpole"
	"github.com/telepath-iot/telepath/device/machine/rover"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// SourceName is what the streams' descriptions say of where they come from: a screen that knows it can draw the machine.
const SourceName = "machine"

// The streams. A screen that draws the machine and whoever balances the pole know them by these names.
const (
	streamPoleX     = "pole/x"
	streamPoleV     = "pole/v"
	streamPoleAngle = "pole/angle"
	streamPoleSpin  = "pole/spin"
	streamPoleForce = "pole/force"
	streamPoleState = "pole/state" // events: down, held, up

	streamRoverX       = "rover/x"
	streamRoverY       = "rover/y"
	streamRoverHeading = "rover/heading"
	streamRoverSpeed   = "rover/speed"
	streamRoverTurn    = "rover/turn"
	streamRoverHorn    = "rover/horn" // events

	streamLate = "machine/late"
)

// number describes a stream of numbers.
type number struct {
	name, label, unit, group string
	min, max                 float64
	period                   time.Duration
}

func numbers() []number {
	pole, rover := cartpole.Default(), rover.Default()
	const often, seldom = period, roverEvery * period
	return []number{
		{streamPoleX, "Cart", "m", "", -pole.Rail, pole.Rail, often},
		{streamPoleV, "Cart's speed", "m/s", "", -2, 2, often},
		{streamPoleAngle, "Pole's angle", "rad", "", -0.5, 0.5, often},
		{streamPoleSpin, "Pole's turn rate", "rad/s", "", -2, 2, often},
		{streamPoleForce, "Motor's force", "N", "", -pole.MaxForce, pole.MaxForce, often},
		{streamRoverX, "Rover, x", "m", "Rover's place", -rover.Arena, rover.Arena, seldom},
		{streamRoverY, "Rover, y", "m", "Rover's place", -rover.Arena, rover.Arena, seldom},
		{streamRoverHeading, "Rover's heading", "rad", "", -math.Pi, math.Pi, seldom},
		{streamRoverSpeed, "Rover's speed", "m/s", "", -rover.MaxSpeed, rover.MaxSpeed, seldom},
		{streamRoverTurn, "Rover's turn rate", "rad/s", "", -rover.MaxTurn, rover.MaxTurn, seldom},
		{streamLate, "Steps computed late", "", "", 0, 1000, clockEvery * period},
	}
}

func events() map[string]string {
	return map[string]string{streamPoleState: "Pole", streamRoverHorn: "Rover's horn"}
}

// outlets are the streams, by name.
type outlets map[string]source.Writer

func declare(sink source.Sink) (outlets, error) {
	out := outlets{}
	for _, n := range numbers() {
		meta := telemetry.Meta{
			Label: n.label, Unit: n.unit, Group: n.group, Min: &n.min, Max: &n.max,
			PeriodMS: float64(n.period) / float64(time.Millisecond), Source: SourceName, Simulated: true,
		}
		if err := out.open(sink, source.Stream{Name: n.name, Class: wire.Live, Meta: meta}); err != nil {
			return nil, err
		}
	}
	for name, label := range events() {
		meta := telemetry.Meta{Kind: telemetry.Text, Label: label, Source: SourceName, Simulated: true}
		if err := out.open(sink, source.Stream{Name: name, Class: wire.Event, Meta: meta}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (o outlets) open(sink source.Sink, s source.Stream) error {
	w, err := sink.Declare(s)
	o[s.Name] = w
	return err
}

func (o outlets) put(t int64, name string, value float64) error {
	return o[name].Put(t, telemetry.NumberValue(value))
}

func (o outlets) all(t int64, values map[string]float64) error {
	for name, value := range values {
		if err := o.put(t, name, value); err != nil {
			return err
		}
	}
	return nil
}

func (o outlets) pole(t int64, v view) error {
	return o.all(t, map[string]float64{
		streamPoleX: v.pole.X, streamPoleV: v.pole.V, streamPoleAngle: v.pole.Angle, streamPoleSpin: v.pole.Spin, streamPoleForce: v.force,
	})
}

func (o outlets) rover(t int64, v view) error {
	r := v.rover
	return o.all(t, map[string]float64{
		streamRoverX: r.X, streamRoverY: r.Y, streamRoverHeading: r.Heading, streamRoverSpeed: r.Speed, streamRoverTurn: r.Turn,
	})
}

func (o outlets) clock(t, late int64) error { return o.put(t, streamLate, float64(late)) }

// notice is something that happened.
type notice struct {
	t      int64 // µs
	stream string
	text   string
}

// maxTold bounds what waits for Run, which comes a hundred times a second, unless it is not running at all.
const maxTold = 64

func (m *Machine) tellLocked(now time.Time, stream, text string) {
	if len(m.told) < maxTold {
		m.told = append(m.told, notice{source.Stamp(now), stream, text})
	}
}

func (o outlets) tell(told []notice) error {
	for _, n := range told {
		if err := o[n.stream].Put(n.t, telemetry.TextValue(n.text)); err != nil {
			return err
		}
	}
	return nil
}
