package peer

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

func TestBackoffStaysWithinItsPolicy(t *testing.T) {
	for range 200 {
		var b backoff
		for i := range 12 {
			d := b.wait(wire.RetryBackoff)
			limit := min(backoffFirst<<i, backoffMax)
			if d < limit/10 || d > limit {
				t.Fatalf("failure %d waits %v, limit %v", i+1, d, limit)
			}
		}
		b.reset()
		if d := b.wait(wire.RetryNow); d > retryNow {
			t.Fatalf("first retry waits %v", d)
		}
		if d := b.wait(wire.RetrySlow); d != retrySlow {
			t.Fatalf("slow waits %v", d)
		}
	}
}

// Reconnecting viewers must not come back together.
func TestBackoffIsSpread(t *testing.T) {
	var lowest, highest time.Duration = time.Hour, 0
	for range 500 {
		var b backoff
		d := b.wait(wire.RetryNow)
		lowest, highest = min(lowest, d), max(highest, d)
	}
	if lowest > 100*time.Millisecond || highest < 900*time.Millisecond {
		t.Errorf("500 first retries lie between %v and %v", lowest, highest)
	}
}
