package netcheck

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/signaling/server"
)

func TestStrippedUpgrade(t *testing.T) {
	t.Parallel()
	r := serve(t, server.Config{})
	got := check(t, r.viewer(t, "http", box{strip: true}.before(t, r)))
	got.ok("http1", "sse", "poll", "latency-sse", "latency-poll", "clock")
	got.failed("ws", "upgrade-refused")
	got.unknown("ws does not work (upgrade-refused)", "latency-ws")
	got.expects("sse", "WebSocket: ", "(upgrade-refused)", "event stream gets through")
	if !got.Reached {
		t.Error("out of reach")
	}
}

func TestStalledUpgrade(t *testing.T) {
	t.Parallel()
	r := serve(t, server.Config{})
	got := check(t, r.viewer(t, "http", box{stall: true}.before(t, r)))
	got.ok("http1", "sse", "poll")
	got.failed("ws", "upgrade-stalled")
	got.expects("sse", "(upgrade-stalled)")
	if took := got.checks["ws"].Took; took < muteTime || took > muteTime+500*time.Millisecond {
		t.Errorf("the WebSocket was given %v", took)
	}
}

func TestBufferedStream(t *testing.T) {
	t.Parallel()
	r := serve(t, server.Config{})
	got := check(t, r.viewer(t, "http", box{strip: true, buffer: true}.before(t, r)))
	got.ok("http1", "poll", "latency-poll")
	got.failed("ws", "upgrade-refused")
	got.failed("sse", "stream-buffered")
	got.expects("poll", "(upgrade-refused)", "event stream: ", "(stream-buffered)", "long polling gets through")
	if got.took > DefaultTimeout {
		t.Errorf("it took %v", got.took)
	}
}

// TestNothingLeft: HTTP gets through, and no link does.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	r := serve(t, server.Config{})
	got := check(t, r.viewer(t, "http", box{strip: true, buffer: true, mute: true}.before(t, r)))
	got.failed("poll", "cut")
	got.expects(None, "(upgrade-refused)", "(stream-buffered)", "long polling: ")
	if got.Reached || got.took > DefaultTimeout {
		t.Errorf("after %v: %+v", got.took, got.Summary)
	}
}
