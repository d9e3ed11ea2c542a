package ladder

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	theLink = 1 + iota // ids, in the order of their birth
	theDirect
)

// standing is a player whose direct path carries, with a link as its spare. Nothing but
// answers is heard on either.
func standing(t *rapid.T, rtt time.Duration) *player {
	p := &player{ladder: New(Config{}), answering: map[int]time.Duration{}, last: Decision{Wake: Never}}
	p.answering[theLink], p.answering[theDirect] = rtt, rtt
	p.ladder.Up(0, theLink, WS)
	p.ladder.Up(0, theDirect, UDP)
	p.step(0)
	p.run(t, 0, 20*time.Second, nil)
	return p
}

// run lets time pass until an end, and calls check every 10 ms.
func (p *player) run(t *rapid.T, now, end time.Duration, check func(now time.Duration, s State)) {
	for ; now <= end; now += 10 * time.Millisecond {
		p.advance(now)
		p.step(now)
		if check != nil {
			check(now, p.ladder.State(theDirect))
		}
	}
}

// TestLongerForGood: a path whose round trip changed, by however much, is not left, and
// after some round trips it is not doubted either, with all jitter.
func TestLongerForGood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := func(least, most int, name string) time.Duration {
			return time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Millisecond
		}
		p := standing(t, ms(1, 300, "before"))
		after := ms(1, 1500, "after")
		jitter := ms(0, int(after.Milliseconds()/5), "jitter")
		start := 20 * time.Second
		p.run(t, start, start+time.Minute, func(now time.Duration, s State) {
			p.answering[theDirect] = after + time.Duration(rapid.Float64Range(0, 1).Draw(t, "late")*float64(jitter))
			if !s.InUse {
				t.Fatalf("left at %v: %+v", now, s)
			}
			if now > start+20*time.Second && s.InDoubt {
				t.Fatalf("still doubted at %v: %+v", now, s)
			}
		})
	})
}

// TestOutagesLeaveNoTrace: however many outages there were, with a little time between
// them, and although what they held up arrives behind them all at once, the next
// one is noticed as soon as the first.
func TestOutagesLeaveNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rtt := time.Duration(rapid.IntRange(1, 200).Draw(t, "rtt")) * time.Millisecond
		p := standing(t, rtt)
		now := 20 * time.Second
		for range rapid.IntRange(1, 8).Draw(t, "outages") {
			doubted := time.Duration(0)
			end := now + time.Duration(rapid.IntRange(2000, 2900).Draw(t, "outage"))*time.Millisecond
			hold := func(at time.Duration, s State) {
				p.answering[theDirect] = end + rtt - at
				if s.InDoubt && doubted == 0 {
					doubted = at
				}
			}
			p.answers = nil
			p.run(t, now, end, hold)
			if most := now + 300*time.Millisecond + 300*time.Millisecond + 4*rtt + maxSpread; doubted == 0 || doubted > most {
				t.Fatalf("an outage from %v on was noticed at %v, not by %v: %+v", now, doubted, most, p.ladder.State(theDirect))
			}
			p.answering[theDirect] = rtt
			now = end + rtt + time.Duration(rapid.IntRange(500, 2000).Draw(t, "between"))*time.Millisecond
			p.run(t, end, now, nil)
		}
	})
}
