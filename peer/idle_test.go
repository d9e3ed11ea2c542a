package peer

import (
	"errors"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

var errCut = carrier.Fail("cut", "", errors.New("connection reset"))

// life is one link: how often something is said and answered, how long it rests then, and how it ends.
type life struct {
	beats int           // of a second each, answered
	rest  time.Duration // before the end
	sent  bool          // the end came when something was sent after the rest
	err   error
}

func TestRests(t *testing.T) {
	cut := func(beats int, rest time.Duration) life { return life{beats, rest, false, errCut} }
	for name, c := range map[string]struct {
		lives []life
		want  time.Duration
	}{
		"twice alike":                       {[]life{cut(0, 60*time.Second), cut(10, 61*time.Second)}, 60 * time.Second},
		"noticed when something was sent":   {[]life{{0, 20 * time.Second, true, errCut}, {3, 20 * time.Second, true, errCut}}, 20 * time.Second},
		"once":                              {[]life{cut(0, 60*time.Second)}, 0},
		"twice, not alike":                  {[]life{cut(0, 60*time.Second), cut(0, 20*time.Second)}, 0},
		"twice alike, not in a row":         {[]life{cut(0, 60*time.Second), cut(0, 20*time.Second), cut(0, 60*time.Second)}, 0},
		"busy":                              {[]life{cut(5, 900*time.Millisecond), cut(5, 900*time.Millisecond)}, 0},
		"as long a rest was outlived":       {[]life{{0, 60 * time.Second, false, nil}, cut(0, 30*time.Second), cut(0, 30*time.Second)}, 0},
		"the server's word is no cut":       {[]life{{0, 60 * time.Second, false, &RefusedError{Code: "draining"}}, cut(0, 60*time.Second)}, 0},
		"nor is a close":                    {[]life{{0, 60 * time.Second, false, carrier.ErrClosed}, cut(0, 60*time.Second)}, 0},
		"the rule ends when it is outlived": {[]life{cut(0, 10*time.Second), cut(0, 10*time.Second), {0, 15 * time.Second, false, nil}}, 0},
	} {
		var r rests
		now := time.Hour
		for _, l := range c.lives {
			r.begin(now, 0)
			for range l.beats {
				now += 990 * time.Millisecond
				r.sent(now)
				now += 10 * time.Millisecond
				r.heard(now)
			}
			now += l.rest
			if l.sent {
				r.sent(now)
				now += 10 * time.Millisecond
			}
			if l.err == nil {
				r.heard(now)
			}
			r.over(now, l.err)
		}
		if r.limit != c.want {
			t.Errorf("%s: cut after %v, want %v", name, r.limit, c.want)
		}
		if got, want := r.keepAlive(3*time.Minute), min(3*time.Minute, c.want/2); c.want > 0 && got != want || c.want == 0 && got != 3*time.Minute {
			t.Errorf("%s: keep alive %v", name, got)
		}
	}
}

// What an earlier link has shown holds for a new one from its beginning, unless this one knows better.
func TestRestsThatAreKnown(t *testing.T) {
	var r rests
	r.begin(time.Hour, time.Minute)
	if got := r.keepAlive(3 * time.Minute); got != 30*time.Second || r.why() == nil {
		t.Errorf("keep alive %v, %v", got, r.why())
	}
	r.heard(time.Hour + 2*time.Minute)
	r.begin(time.Hour+2*time.Minute, time.Minute)
	if got := r.keepAlive(3 * time.Minute); got != 3*time.Minute || r.why() != nil {
		t.Errorf("after it was outlived: keep alive %v, %v", got, r.why())
	}
}
