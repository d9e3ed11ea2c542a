package ladder

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestInvariants plays random events and checks after each what must always hold.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := New(Config{})
		now := time.Duration(0)
		before := snapshot{}
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			now += time.Duration(rapid.SampledFrom([]int{0, 1, 30, 250, 700, 3500}).Draw(t, "ms")) * time.Millisecond
			happen(t, l, now)
			d := l.Step(now)
			after := take(l, d)
			checkUse(t, l, after)
			checkI4(t, before, after)
			if l.unwatched && len(d.Probe)+len(d.Replace) > 0 {
				t.Fatalf("nobody watches, and %+v", d)
			}
			for _, id := range d.Probe {
				l.Probed(now, id)
			}
			checkRest(t, l, now, d)
			before = after
		}
	})
}

// happen lets one random thing happen to one of four carriers.
func happen(t *rapid.T, l *Ladder, now time.Duration) {
	id := rapid.IntRange(1, 4).Draw(t, "carrier")
	switch rapid.SampledFrom([]string{"up", "down", "heard", "heard", "proved", "proved", "doubt", "watch", "time"}).Draw(t, "event") {
	case "up":
		l.Up(now, id, rapid.SampledFrom([]Rung{UDP, UDP, TurnUDP, WS}).Draw(t, "rung"))
	case "down":
		l.Down(now, id)
	case "heard":
		l.Heard(now, id)
	case "proved":
		l.Proved(now, id, time.Duration(rapid.IntRange(0, 400).Draw(t, "rtt"))*time.Millisecond)
	case "doubt":
		l.Heard(now, id)
		l.Doubt(now, id)
	case "watch":
		l.Watch(now, rapid.Bool().Draw(t, "on"))
	}
}

// snapshot is what a decision was based on.
type snapshot struct {
	use    []int
	states map[int]State
	births map[int]int
}

func take(l *Ladder, d Decision) snapshot {
	s := snapshot{use: d.Use, states: map[int]State{}, births: map[int]int{}}
	for _, c := range l.carriers {
		s.states[c.id], s.births[c.id] = l.State(c.id), c.born
	}
	return s
}

func (s State) sound() bool { return s.Usable && !s.InDoubt }

// checkUse: there is a path if and only if a carrier is usable, and it is one;
// at most two; best rung first.
func checkUse(t *rapid.T, l *Ladder, s snapshot) {
	usable := 0
	for id, state := range s.states {
		if state.Usable {
			usable++
		}
		if state.InUse != slices.Contains(s.use, id) {
			t.Fatalf("carrier %d: %+v, used %v", id, state, s.use)
		}
	}
	if (usable > 0) != (len(s.use) > 0) || len(s.use) > 2 {
		t.Fatalf("%d usable, used %v", usable, s.use)
	}
	for i, id := range s.use {
		if !s.states[id].Usable || i > 0 && s.states[s.use[i-1]].Rung > s.states[id].Rung {
			t.Fatalf("used %v of %+v", s.use, s.states)
		}
	}
}

// checkI4: a carrier that was used, and could still be, is left only for one
// that is sound, which takes a proof both ways; and if it was sound itself, for
// a better rung.
func checkI4(t *rapid.T, before, after snapshot) {
	for _, id := range before.use {
		old, up := after.states[id]
		if !up || after.births[id] != before.births[id] || slices.Contains(after.use, id) {
			continue
		}
		justified := slices.ContainsFunc(after.use, func(other int) bool {
			state := after.states[other]
			return state.sound() && (!old.sound() || state.Rung <= old.Rung || slices.Contains(before.use, other))
		})
		if !justified {
			t.Fatalf("left %d (%+v) for %v of %+v", id, old, after.use, after.states)
		}
	}
}

// checkRest: asked again at once, nothing is different; and the next wake-up
// lies ahead, so that nobody runs in circles.
func checkRest(t *rapid.T, l *Ladder, now time.Duration, d Decision) {
	again := l.Step(now)
	if !slices.Equal(again.Use, d.Use) || again.Reason != d.Reason || len(again.Probe) > 0 || !slices.Equal(again.Replace, d.Replace) {
		t.Fatalf("decided %+v, then %+v", d, again)
	}
	if d.Wake <= now || again.Wake <= now {
		t.Fatalf("at %v wants to be woken at %v, %v", now, d.Wake, again.Wake)
	}
	if (len(d.Use) == 0) != (d.Reason == ReasonNone) {
		t.Fatalf("used %v because %q", d.Use, d.Reason)
	}
}

// BenchmarkStep is what every pass of a Conn's loop costs.
func BenchmarkStep(b *testing.B) {
	l := New(Config{})
	for id, rung := range []Rung{UDP, TurnUDP, WS} {
		l.Up(0, id, rung)
		l.Proved(0, id, 20*time.Millisecond)
	}
	now := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		now += 10 * time.Microsecond
		l.Heard(now, 0)
		for _, id := range l.Step(now).Probe {
			l.Probed(now, id)
		}
	}
}
