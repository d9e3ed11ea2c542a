package ladder

import "testing"

func TestBetterIsAnOrder(t *testing.T) {
	// From best to worst: each is better than all below it, and never the other way.
	order := []rank{
		{sound: true, rung: UDP, used: true, born: 1},
		{sound: true, rung: UDP, born: 9},
		{sound: true, rung: UDP, born: 2},
		{sound: true, rung: TurnUDP, used: true, born: 3},
		{sound: true, rung: TurnUDP, born: 8},
		{sound: true, rung: RelayUDP, born: 10},
		{sound: true, rung: TCP, born: 11},
		{sound: true, rung: TurnTCP, born: 12},
		{sound: true, rung: TurnTLS, born: 13},
		{sound: true, rung: RelayTCP, born: 14},
		{sound: true, rung: WS, born: 15},
		{sound: true, rung: SSE, born: 16},
		{sound: true, rung: Poll, born: 17},
		{rung: UDP, used: true, born: 4},
		{rung: WS, used: true, born: 6},
		{rung: UDP, born: 7},
		{rung: UDP, born: 5},
		{rung: WS, born: 18},
	}
	for i, a := range order {
		for j, b := range order {
			if got, want := better(a, b), i < j; got != want {
				t.Errorf("better(%+v, %+v) = %v", a, b, got)
			}
		}
	}
}

func TestRungNames(t *testing.T) {
	for r := range rungs {
		if back, ok := ParseRung(r.String()); !ok || back != r {
			t.Errorf("ParseRung(%q) = %v, %v", r, back, ok)
		}
	}
	if _, ok := ParseRung("carrier pigeon"); ok || rungs.String() != "unknown" {
		t.Error("an unknown rung has a name")
	}
}
