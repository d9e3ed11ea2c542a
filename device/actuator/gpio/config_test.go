package gpio

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/peer/rpc"
)

func lineAxis(name, pin string) Axis {
	return Axis{rpc.Axis{ID: 1, Name: name, Max: 1}, Output{Pin: pin}}
}

func pwmAxis(x rpc.Axis, period time.Duration, pulse ...time.Duration) Axis {
	o := Output{PWM: "pwmchip0/0", Period: period}
	copy(o.Pulse[:], pulse)
	return Axis{x, o}
}

func planOf(t *testing.T, axes ...Axis) plan {
	t.Helper()
	p, err := Config{Axes: axes}.plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLevels(t *testing.T) {
	const ms = time.Millisecond
	speed := pwmAxis(rpc.Axis{Name: "speed", Max: 1}, ms)
	servo := pwmAxis(rpc.Axis{Name: "steer", Min: -1, Max: 1}, 20*ms, ms, 2*ms)
	turned := pwmAxis(rpc.Axis{Name: "steer", Min: -1, Max: 1}, 20*ms, 2*ms, ms)
	coarse := pwmAxis(rpc.Axis{Name: "speed", Max: 1}, 10*time.Microsecond)
	fan := lineAxis("fan", "GPIO5")
	fan.Min, fan.Max, fan.Neutral = -3, 5, 5
	for _, c := range []struct {
		axis    Axis
		value   float64
		level   uint64
		applied float64
	}{
		{lineAxis("lamp", "GPIO17"), 0, 0, 0},
		{lineAxis("lamp", "GPIO17"), 0.5, 0, 0},
		{lineAxis("lamp", "GPIO17"), 0.51, 1, 1},
		{fan, 1, 0, -3},
		{fan, 1.1, 1, 5},
		{speed, 0, 0, 0},
		{speed, 0.25, 250_000, 0.25},
		{speed, 1, 1_000_000, 1},
		{speed, 7, 1_000_000, 1},
		{speed, -7, 0, 0},
		{servo, -1, 1_000_000, -1},
		{servo, 0, 1_500_000, 0},
		{servo, 1, 2_000_000, 1},
		{turned, 1, 1_000_000, 1},
		{turned, -0.5, 1_750_000, -0.5},
		{coarse, 0.33333, 3333, 0.3333},
	} {
		x := planOf(t, c.axis).Axes[0]
		level := x.level(c.value)
		if applied := x.value(level); level != c.level || math.Abs(applied-c.applied) > 1e-12 {
			t.Errorf("%s %v: level %d, value %v; want %d, %v", x.Name, c.value, level, applied, c.level, c.applied)
		}
	}
	if got := planOf(t, fan).Axes[0].safe(); got != 1 {
		t.Errorf("a fan is safe at %d", got)
	}
	if got := planOf(t, servo).Axes[0].safe(); got != 1_500_000 {
		t.Errorf("a servo is safe at %d", got)
	}
}

func TestMethodsAreGiven(t *testing.T) {
	g, err := New(Config{Methods: []Method{
		{Method: rpc.Method{Name: "horn"}, Output: Output{Pin: "GPIO27"}, For: time.Second},
		{Method: rpc.Method{Name: "lamp"}, Output: Output{Pin: "GPIO17"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if m := g.Methods(); m[0].Params != nil || string(m[1].Params) != string(onParams) {
		t.Errorf("%s, %s", m[0].Params, m[1].Params)
	}
}

func TestLocate(t *testing.T) {
	bank := chip{path: "/dev/gpiochip0", name: "gpiochip0", label: "pinctrl-bcm2711"}
	for _, name := range []string{"ID_SDA", "GPIO17", "TWICE", ""} {
		bank.lines = append(bank.lines, line{name: name})
	}
	second := chip{path: "/dev/gpiochip1", name: "gpiochip1", label: "a/b", lines: []line{{name: "TWICE"}}}
	chips := []chip{bank, second}
	type found struct {
		Path   string
		Number int
		Error  string
	}
	for name, want := range map[string]found{
		"GPIO17":            {"/dev/gpiochip0", 1, ""},
		"gpiochip0/3":       {"/dev/gpiochip0", 3, ""},
		"pinctrl-bcm2711/0": {"/dev/gpiochip0", 0, ""},
		"gpiochip1/0":       {"/dev/gpiochip1", 0, ""},
		"gpiochip1/1":       {Error: `there is no line "gpiochip1/1": by number there are gpiochip1/0 to 0 (a/b)`},
		"gpiochip1/x":       {Error: `there is no line "gpiochip1/x": by number there are gpiochip1/0 to 0 (a/b)`},
		"TWICE":             {Error: `2 lines are called "TWICE": want CHIP/NUMBER; by number there are gpiochip0/0 to 3 (pinctrl-bcm2711), gpiochip1/0 to 0 (a/b)`},
		"GPIO99":            {Error: `there is no line "GPIO99": there are ID_SDA, GPIO17, TWICE, TWICE; by number there are gpiochip0/0 to 3 (pinctrl-bcm2711), gpiochip1/0 to 0 (a/b)`},
	} {
		c, number, err := locate(chips, name)
		got := found{Path: c.path, Number: number}
		if err != nil {
			got = found{Error: err.Error()}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// However many lines there are, and however they are called: an error stays short.
func TestErrorsAreShort(t *testing.T) {
	c := chip{name: "gpiochip0"}
	for range 1000 {
		c.lines = append(c.lines, line{name: "a line with a name of 31 bytes."})
	}
	if _, _, err := locate([]chip{c}, string(make([]byte, 5000))); err == nil || len(err.Error()) > 700 {
		t.Errorf("%d bytes", len(err.Error()))
	}
}
