package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// method is what may be called, and what does it.
type method struct {
	rpc.Method
	run func(m *Machine, ctx context.Context, params json.RawMessage, progress func(float64)) (any, error)
}

func methods() []method {
	return []method{
		{rpc.Method{
			Name: "push", Label: "Push the pole", Help: "A blow to the pole's tip. Whoever balances it has to cope.", Rate: 2,
			Params: object(`"side": {"type": "string", "title": "Towards", "enum": ["left", "right"], "default": "right"},
				"strength": {"type": "number", "title": "Strength in N·s", "minimum": 0.005, "maximum": 0.1, "default": 0.03}`),
		}, (*Machine).push},
		{rpc.Method{
			Name: "reset-pole", Label: "Lift the pole", Help: "Puts the cart in the middle and holds the pole upright until the motor moves it, for at most 10 s.", Rate: 2, Lease: true,
		}, (*Machine).reset},
		{rpc.Method{
			Name: "honk", Label: "Honk", Help: "The rover's horn. It appears among the events.", Rate: 2,
			Params: object(`"times": {"type": "integer", "title": "How often", "minimum": 1, "maximum": 5, "default": 1},
				"loud": {"type": "boolean", "title": "Loud", "default": false}`),
			Result: object(`"sound": {"type": "string"}`),
		}, (*Machine).honk},
		{rpc.Method{
			Name: "self-test", Label: "Test itself", Help: "Watches for some seconds whether the simulation keeps up with real time.", Rate: 1, LimitMS: 15_000,
			Params: object(`"seconds": {"type": "number", "title": "For how many seconds", "minimum": 0.5, "maximum": 10, "default": 3}`),
			Result: object(`"steps_a_second": {"type": "number"}, "late": {"type": "integer"}, "missed": {"type": "integer"}`),
		}, (*Machine).selfTest},
		{rpc.Method{
			Name: "knock-over", Label: "Knock the pole over", Help: "A blow that nobody can balance.", Rate: 1, Lease: true, Danger: true,
		}, (*Machine).knockOver},
	}
}

// object is the schema of an object with these properties.
func object(properties string) json.RawMessage {
	return json.RawMessage(`{"type": "object", "properties": {` + properties + `}}`)
}

// Methods implements actuator.Actuator.
func (m *Machine) Methods() []rpc.Method {
	var all []rpc.Method
	for _, method := range methods() {
		all = append(all, method.Method)
	}
	return all
}

// Call implements actuator.Actuator.
func (m *Machine) Call(ctx context.Context, name string, params json.RawMessage, progress func(float64)) (json.RawMessage, error) {
	for _, method := range methods() {
		if method.Name != name {
			continue
		}
		result, err := method.run(m, ctx, params, progress)
		if err != nil || result == nil {
			return nil, err
		}
		return json.Marshal(result)
	}
	return nil, fmt.Errorf("this machine cannot %.64q", name)
}

// read fills params into what holds their defaults.
func read(params json.RawMessage, into any) error {
	if len(params) == 0 {
		return nil
	}
	if err := json.Unmarshal(params, into); err != nil {
		return fmt.Errorf("read parameters: %w", err)
	}
	return nil
}

func (m *Machine) push(_ context.Context, params json.RawMessage, _ func(float64)) (any, error) {
	p := struct {
		Side     string
		Strength float64
	}{"right", 0.03}
	if err := read(params, &p); err != nil {
		return nil, err
	}
	if p.Side == "left" {
		p.Strength = -p.Strength
	}
	return nil, m.hit(p.Strength)
}

// knock is a blow, in N·s, that takes more room to balance than the rail has.
const knock = 0.6

func (m *Machine) knockOver(context.Context, json.RawMessage, func(float64)) (any, error) {
	return nil, m.hit(knock)
}

func (m *Machine) hit(impulse float64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.advanceLocked(now)
	before := m.world.stance
	if before == down {
		return errors.New("the pole already lies on the rail")
	}
	m.world.push(impulse)
	m.noticeLocked(now, before)
	return nil
}

func (m *Machine) reset(context.Context, json.RawMessage, func(float64)) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.advanceLocked(now)
	before := m.world.stance
	m.world.lift()
	m.noticeLocked(now, before)
	return nil, nil
}

func (m *Machine) honk(_ context.Context, params json.RawMessage, _ func(float64)) (any, error) {
	p := struct {
		Times int
		Loud  bool
	}{Times: 1}
	if err := read(params, &p); err != nil {
		return nil, err
	}
	word := "honk"
	if p.Loud {
		word = "HONK"
	}
	sound := strings.TrimSpace(strings.Repeat(word+" ", p.Times))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tellLocked(time.Now(), streamRoverHorn, sound)
	return map[string]string{"sound": sound}, nil
}
