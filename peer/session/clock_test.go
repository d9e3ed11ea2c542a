package session

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// clockWorld plays clock-*.scenario.
type clockWorld struct {
	clock Clock
	news  bool // of the last doubt
}

func (w *clockWorld) event(now time.Duration, verb string, a arguments) error {
	switch verb {
	case "step":
		return nil
	case "doubt":
		w.news = w.clock.Doubt(now)
		return nil
	}
	var t [4]uint64
	for i := range t {
		var err error
		if t[i], err = strconv.ParseUint(a.words[i], 10, 64); err != nil {
			return err
		}
	}
	w.clock.Sample(now, t[0], t[1], t[2], t[3])
	return nil
}

func (w *clockWorld) check(now time.Duration, what string, _ []string) ([]string, error) {
	words := map[bool]string{true: "yes", false: "no"}
	switch what {
	case "news":
		return []string{words[w.news]}, nil
	case "doubtful":
		return []string{words[w.clock.Doubtful()]}, nil
	}
	offset, err, ok := w.clock.Offset(now)
	if !ok {
		return nil, nil
	}
	return []string{fmt.Sprint(offset), fmt.Sprint(err)}, nil
}

func TestClockKeepsFewSamples(t *testing.T) {
	var c Clock
	for i := range uint64(1000) {
		c.Sample(time.Duration(i)*time.Millisecond, 1000, 1000+i, 1000+i, 1000+2*i)
	}
	if len(c.samples) > maxClockSamples {
		t.Errorf("%d samples kept", len(c.samples))
	}
}
