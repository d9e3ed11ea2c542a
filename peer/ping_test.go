package peer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
)

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay / 4})
		w.boot(50 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(nil)
		if _, err := v.conn.Ping(t.Context()); !errors.Is(err, ErrNoPath) {
			t.Errorf("before there is a path: %v", err)
		}
		w.await(10*time.Second, "direct", func() bool { return v.rung() == "udp" })
		r, err := v.conn.Ping(t.Context())
		if err != nil || r.Rung != ladder.UDP || r.RoundTrip != oneWay/2 {
			t.Errorf("got %+v, %v; want udp and %v", r, err, oneWay/2)
		}
		w.ether.Cut()
		late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := v.conn.Ping(late); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("on a path that was just cut: %v", err)
		}
		time.Sleep(time.Second)
		r, err = v.conn.Ping(t.Context())
		if err != nil || r.Rung != ladder.WS || r.RoundTrip != 4*oneWay {
			t.Errorf("got %+v, %v; want ws and %v", r, err, 4*oneWay)
		}
		v.stop()
		if _, err := v.conn.Ping(t.Context()); !errors.Is(err, ErrEnded) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestPingBeforeRun(t *testing.T) {
	c, err := Dial(ViewConfig{Endpoint: Endpoint{URL: "http://relay"}, Device: "bench"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay / 4, Loss: 0.1})
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(nil)
		w.await(10*time.Second, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(10 * time.Second)
		var i Info
		v.conn.loop.ask(t.Context(), func() { i = v.conn.Info() })
		if len(i.Rungs) != 2 || i.Rungs[0].Rung != ladder.UDP || i.Rungs[0].State != "use" || i.Rungs[1].State != "warm" {
			t.Fatalf("paths %+v", i.Rungs)
		}
		if rtt := i.Rungs[0].RTT; rtt != oneWay/2 {
			t.Errorf("round trip %v, want %v", rtt, oneWay/2)
		}
		if !i.OffsetKnown || i.Offset != 0 || i.OffsetErr < oneWay/4 {
			t.Errorf("clock %v ± %v", i.Offset, i.OffsetErr)
		}
		if share := float64(i.Lost) / float64(i.Lost+i.Delivered); share < 0.03 || share > 0.2 || i.Missing > 0 {
			t.Errorf("lost %d of %d, missing %d; a tenth is lost", i.Lost, i.Lost+i.Delivered, i.Missing)
		}
		if s := v.conn.Stats(); s.Received.Packets == 0 || len(s.Drops) != len(reasons) {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestMakingFails: a machine that can make no connections says so, and
// watches on the relay.
func TestMakingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		w.boot(50 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watchWith(nil, func(rtc.Config, rtc.Events) (direct, error) { return nil, errors.New("no network") }, nil)
		w.await(time.Second, "the relay", func() bool { return v.rung() == "ws" })
		time.Sleep(2 * time.Minute)
		v.mu.Lock()
		defer v.mu.Unlock()
		if p := v.paths[len(v.paths)-1]; p.Reason != "no direct path: no network" {
			t.Errorf("path %+v", p)
		}
	})
}
