package netcheck

import (
	"net/http"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

func TestMeasure(t *testing.T) {
	sent := time.UnixMicro(1_000_000_000)
	// 20 ms there, 5 ms at the server, 10 ms back; the server is an hour ahead.
	e := echo{wire.Echo{T2: micros(sent) + 20_000 + 3_600_000_000, T3: micros(sent) + 25_000 + 3_600_000_000}, sent.Add(35 * time.Millisecond)}
	rtt, clock := measure(sent, e)
	if rtt != 30*time.Millisecond || clock.Err != 15*time.Millisecond || clock.Ahead != time.Hour+5*time.Millisecond {
		t.Errorf("round trip %v, clock %+v", rtt, clock)
	}
	e.T3 += 1_000_000 // it says that it held the probe for longer than it was away
	if rtt, _ = measure(sent, e); rtt != 35*time.Millisecond {
		t.Errorf("round trip %v", rtt)
	}
}

func TestClock(t *testing.T) {
	s := &survey{}
	if c := s.checkClock(t.Context()); c.Verdict != Unknown {
		t.Errorf("nothing known: %+v", c)
	}
	sent := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.timeFromDate("yesterday", sent, sent)
	s.timeFromDate(sent.Add(-time.Minute).Format(http.TimeFormat), sent, sent.Add(100*time.Millisecond))
	want := Offset{Ahead: -time.Minute + 450*time.Millisecond, Err: 550 * time.Millisecond}
	if c := s.checkClock(t.Context()); c.Clock == nil || *c.Clock != want {
		t.Errorf("by the header Date: %+v", c)
	}
	s.addTime(Offset{Ahead: -time.Minute, Err: time.Millisecond})
	s.addTime(Offset{Ahead: -time.Minute, Err: 2 * time.Millisecond})
	if c := s.checkClock(t.Context()); c.Clock.Err != time.Millisecond || c.Detail != "the server's clock is 1 min 0 s behind, ± 1.0 ms" {
		t.Errorf("by the best probe: %+v", c)
	}
}
