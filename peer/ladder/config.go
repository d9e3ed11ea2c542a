package ladder

import "time"

// Config holds the ladder's times. The zero value of each field stands for
// its default, which is that of docs/protocol.md, section 7.2.
type Config struct {
	Quiet        time.Duration // silence after which a carrier in use is probed; 300 ms
	SecondProbe  time.Duration // from the first probe into silence to the second, at least; 100 ms
	DoubtFloor   time.Duration // least time beyond Quiet for an answer, before doubt; 300 ms
	Stay         time.Duration // how long a better rung has to stay sound before it is used alone; 1 s
	StayMax      time.Duration // to which Stay doubles when the rung dies young; 30 s
	ReplaceAfter time.Duration // time in doubt after which a carrier wants a successor; 3 s
	SpareProbe   time.Duration // Quiet of a carrier that is not in use; 1 s
	Measure      time.Duration // a carrier in use is probed at least this often, for round trip and clock; 2 s
}

const (
	// dyingYoung is the age, since it was taken, below which a carrier's
	// death doubles the hold-down of its rung.
	dyingYoung = 10 * time.Second
	// forgiveAfter is the time without such a death after which a rung's
	// hold-down is Stay again.
	forgiveAfter = 60 * time.Second
	// maxSpread, beside two round trips, is what their variation can add to the
	// wait for an answer: a few that came late must not hide the next outage.
	maxSpread = 200 * time.Millisecond
	// keptRounds is how many round trips are looked back at for the smallest, each
	// of a probe that was sent when the one before was over. An outage makes two
	// or three of them long; if all are, the way has become longer.
	keptRounds = 4
	// answerSlack is by how much an answer may come later than a quarter above the least round trip, before it is asked again.
	answerSlack = 10 * time.Millisecond
	// unmeasuredPatience stands for the wait for an answer as long as no
	// round trip was measured: enough for one over a slow mobile network.
	unmeasuredPatience = time.Second
)

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	def(&c.Quiet, 300*time.Millisecond)
	def(&c.SecondProbe, 100*time.Millisecond)
	def(&c.DoubtFloor, 300*time.Millisecond)
	def(&c.Stay, time.Second)
	def(&c.StayMax, 30*time.Second)
	def(&c.ReplaceAfter, 3*time.Second)
	def(&c.SpareProbe, time.Second)
	def(&c.Measure, 2*time.Second)
	return c
}
