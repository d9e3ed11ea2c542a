package rest_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// checkEvents: numbers 1 … last of the stream "log", each once, in order.
func (v *viewer) checkEvents(t *testing.T, last int) {
	t.Helper()
	v.await(t, fmt.Sprintf("event %d", last), func() bool { return len(v.samples) >= last })
	time.Sleep(200 * time.Millisecond) // for a duplicate that should not come
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.samples) != last || len(v.gaps) != 0 {
		t.Fatalf("%d events of %d, %d gaps", len(v.samples), last, len(v.gaps))
	}
	for i, s := range v.samples {
		if s.value != fmt.Sprint("number ", i+1) || s.seq != uint64(i+1) {
			t.Fatalf("event %d is %+v", i+1, s)
		}
	}
}

func events(from, to int) string {
	var b strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&b, "{\"stream\":\"log\",\"value\":\"number %d\"}\n", n)
	}
	return b.String()
}

// TestEvents: who watches gets all that was posted, though it comes later, and
// though every post is repeated; a second one gets it from the start.
func TestEvents(t *testing.T) {
	w := start(t)
	w.must("green", `{"describe":"log","class":"event","kind":"text"}`)
	v := w.watch("green", "start")
	v.await(t, "path", func() bool { return v.path.OK })
	const posts, each = 50, 20
	for n := range posts {
		body, key := events(n*each+1, (n+1)*each), fmt.Sprint("post ", n)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				o := w.must("green", body, "Idempotency-Key", key)
				if got := o.Acknowledged["log"]; got.Seq != uint64((n+1)*each) || got.Count != each {
					t.Errorf("post %d: %+v", n, got)
				}
			})
		}
		both.Wait()
	}
	v.checkEvents(t, posts*each)
	w.watch("green", "start").checkEvents(t, posts*each)
	throughServer := []ladder.Rung{ladder.RelayUDP, ladder.WS} // a link that carries moves up when it has done so for a while
	if !strings.Contains(v.path.Reason, "no direct paths") || !slices.Contains(throughServer, v.path.Rung) {
		t.Errorf("on %v because %s", v.path.Rung, v.path.Reason)
	}
}

// TestLargePost: as much as a post may hold, at once.
func TestLargePost(t *testing.T) {
	w := start(t)
	body := strings.Repeat(`{"stream":"n","value":1.25}`+"\n", 37_000)
	if o := w.must("green", body); o.Taken != 37_000 || o.Acknowledged["n"].Seq != 37_000 {
		t.Errorf("%+v", o)
	}
	w.must("green", `{"describe":"log","class":"event","kind":"text"}`)
	v := w.watch("green", "start")
	v.await(t, "path", func() bool { return v.path.OK })
	filling := strings.Repeat("x", 8000)
	var large strings.Builder
	for i := range 100 {
		fmt.Fprintf(&large, "{\"stream\":\"log\",\"value\":\"%d %s\"}\n", i, filling)
	}
	w.must("green", large.String())
	v.await(t, "all of them", func() bool { return len(v.samples) == 100 })
}

// TestPresence: a device is there while posts come, and the same when they
// come again.
func TestPresence(t *testing.T) {
	w := start(t)
	before := w.must("green", events(1, 3)+`{"stream":"t","value":1}`, "Telepath-Keep-Alive", "1s")
	posted := time.Now()
	v := w.watch("green", "start")
	v.await(t, "events", func() bool { return len(v.samples) >= 3 })
	if l := w.latest("green/latest"); l.State != "live" || l.HeardMS == nil {
		t.Errorf("%+v", l)
	}
	l := w.awaitState("green", "offline")
	if silent := time.Since(posted); silent < time.Second || silent > 3*time.Second {
		t.Errorf("offline after %v", silent)
	}
	if len(l.Streams) != 2 {
		t.Errorf("retained: %+v", l)
	}
	after := w.must("green", events(4, 4)+`{"stream":"t","value":2}`)
	if after.ID != before.ID || after.Acknowledged["log"].Epoch == before.Acknowledged["log"].Epoch || after.Acknowledged["log"].Seq != 1 {
		t.Errorf("%+v, before %+v", after, before)
	}
	v.await(t, "an event of the new epoch", func() bool {
		last := v.samples[len(v.samples)-1]
		return last.value == "number 4" && last.seq == 1
	})
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.gaps) != 0 {
		t.Errorf("%+v, gaps %+v", v.samples, v.gaps)
	}
}

// TestReachable: a device is live while posts come, not because its link is.
func TestReachable(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.must("green", `{"stream":"t","value":1}`)
	posted := time.Now()
	w.awaitState("green", "reachable")
	if silent := time.Since(posted); silent < 4500*time.Millisecond || silent > 8*time.Second {
		t.Errorf("reachable after %v", silent)
	}
	w.must("green", "")
	w.awaitState("green", "live")
}

// agent is a device with a link of its own.
func (w *world) agent(name string) (linked chan error, stop func()) {
	w.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	linked = make(chan error, 64)
	h, err := peer.NewHost(peer.HostConfig{
		Endpoint: peer.Endpoint{URL: w.url, Token: w.token("device"), Proxy: peer.ProxyNone}, Key: key, Name: name,
		OnState: func(s peer.HostState) {
			if s.Linked || s.Err != nil {
				linked <- s.Err
			}
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	w.t.Cleanup(stop)
	return linked, stop
}

// TestNames: a name is one device's at a time, whoever came first.
func TestNames(t *testing.T) {
	w := start(t)
	linked, stop := w.agent("green")
	if err := <-linked; err != nil {
		t.Fatal(err)
	}
	const body = `{"stream":"a","value":1}`
	if status, o := w.post("green", body, "Idempotency-Key", "k"); status != http.StatusConflict || o.Code != "name-taken" || o.Remedy == "" {
		t.Fatalf("%d %+v", status, o)
	}
	stop()
	w.awaitState("green", "offline")
	if o := w.must("green", body, "Idempotency-Key", "k"); o.Taken != 1 {
		t.Errorf("%+v", o)
	}
	other, _ := w.agent("green")
	err := <-other
	if refused, ok := err.(*peer.RefusedError); !ok || refused.Code != "name-taken" {
		t.Errorf("another device under a name that is posted to: %v", err)
	}
	if o := w.must("green", body); o.Acknowledged["a"].Seq != 2 {
		t.Errorf("%+v", o)
	}
}

// TestDrain: a server that goes down hands over what was posted, and says
// where it ends; the next start is another epoch of the same device.
func TestDrain(t *testing.T) {
	w := start(t)
	w.must("green", `{"describe":"log","class":"event","kind":"text"}`)
	v := w.watch("green", "start")
	v.await(t, "path", func() bool { return v.path.OK })
	w.must("green", events(1, 500))
	w.stop()
	v.checkEvents(t, 500)
}

// TestManyStreams: a device that posts has as many as any other.
func TestManyStreams(t *testing.T) {
	w := start(t)
	var body strings.Builder
	for i := range wire.MaxStreams + 10 {
		fmt.Fprintf(&body, "{\"stream\":\"s%d\",\"value\":%d}\n", i, i)
	}
	status, o := w.post("green", body.String())
	if status != http.StatusOK || o.Taken != wire.MaxStreams || o.Refused != 10 || !strings.Contains(o.Errors[0].Error, "at most 256 streams") {
		t.Errorf("%d %+v", status, o)
	}
	if n := len(w.latest("green/latest").Streams); n != wire.MaxStreams {
		t.Errorf("%d are shown", n)
	}
}

// TestMetrics: posts and polls are counted.
func TestMetrics(t *testing.T) {
	w := start(t)
	w.must("green", events(1, 3), "Idempotency-Key", "k")
	w.must("green", events(1, 3), "Idempotency-Key", "k")
	w.post("green", "x")
	tag := w.ask("GET", "viewer", "green/latest", nil).header.Get("ETag")
	w.ask("GET", "viewer", "green/latest", nil, "If-None-Match", tag)
	req, err := http.NewRequest("GET", w.admin+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := w.do(req).text
	for _, line := range []string{
		"telepath_posting_devices 1", `telepath_posts_total{result="taken"} 2`, `telepath_posts_total{result="repeated"} 1`,
		`telepath_posted_samples_total{result="taken"} 3`, `telepath_posted_samples_total{result="refused"} 1`,
		`telepath_latest_total{result="shown"} 1`, `telepath_latest_total{result="unchanged"} 1`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
}
