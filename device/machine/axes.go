package machine

import (
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// The numbers of the axes.
const (
	AxisForce = 1 + iota
	AxisSpeed
	AxisTurn
)

// Axes implements actuator.Actuator. What is set is published beside what the machine makes of it, under other names.
func (m *Machine) Axes() []rpc.Axis {
	cart, drive := m.world.cart, m.world.drive // set once
	return []rpc.Axis{
		{ID: AxisForce, Name: "cart-force", Label: "Cart: force", Unit: "N", Min: -cart.MaxForce, Max: cart.MaxForce},
		{ID: AxisSpeed, Name: "rover-speed", Label: "Rover: speed", Unit: "m/s", Min: -drive.MaxSpeed, Max: drive.MaxSpeed},
		{ID: AxisTurn, Name: "rover-turn", Label: "Rover: turn, left positive", Unit: "rad/s", Min: -drive.MaxTurn, Max: drive.MaxTurn},
	}
}

// Apply implements actuator.Actuator: from this millisecond on.
func (m *Machine) Apply(values map[uint64]float64) (map[uint64]float64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advanceLocked(time.Now())
	for axis, value := range values {
		switch axis {
		case AxisForce:
			m.world.force = value
		case AxisSpeed:
			m.world.wheels.Speed = value
		case AxisTurn:
			m.world.wheels.Turn = value
		}
	}
	return values, nil
}

// Safe implements actuator.Actuator: the motor lets the cart roll, the rover stops.
func (m *Machine) Safe() error {
	_, err := m.Apply(map[uint64]float64{AxisForce: 0, AxisSpeed: 0, AxisTurn: 0})
	return err
}
