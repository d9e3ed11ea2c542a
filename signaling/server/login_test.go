package server

import (
	"testing"
	"time"
)

func TestWaitFor(t *testing.T) {
	for again, want := range map[time.Duration]string{
		200 * time.Millisecond: "wait 1 s",
		time.Minute:            "wait 60 s",
		9*time.Minute + 57*time.Second + 300*time.Millisecond: "wait 10 minutes",
	} {
		if got := waitFor(again); got != want {
			t.Errorf("waitFor(%v) = %q, want %q", again, got, want)
		}
	}
}
