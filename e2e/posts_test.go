package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// curlTook is what a post's answer says.
type curlTook struct {
	Taken        int
	Acknowledged map[string]struct{ Seq uint64 }
}

// post publishes one numbered event with curl, under a key of its own. A repetition must be answered alike.
func (w *world) post(t *testing.T, number uint64, args ...string) (curlTook, error) {
	t.Helper()
	text := ledger.Sent{Run: 1, Number: number}.Text(40)
	body := fmt.Sprintf(`{"stream": %q, "class": "event", "value": %q}`, logStream, text)
	args = append(args, "--fail", "-H", fmt.Sprint("Idempotency-Key: event ", number), "--data-binary", body, w.SamplesURL("script"))
	out, err := w.Curl(w.dev, "device", args...)
	if err != nil {
		return curlTook{}, err
	}
	var took curlTook
	return took, json.Unmarshal([]byte(out), &took)
}

// TestCurlPosts: a script that repeats posts whose answers it lost loses no Event and repeats none, for who watches with our client.
func TestCurlPosts(t *testing.T) {
	w := newWorld(t)
	_, err := w.Curl(w.dev, "device", "--fail", "-d", `{"describe": "`+logStream+`", "class": "event", "kind": "text"}`, w.SamplesURL("script"))
	must(t, err)
	v := w.watch(t, "script")
	_, err = v.AwaitPath("ws", 0, firstPath)
	must(t, err)
	polls := w.poll(t, "script")

	const last = 60
	var book ledger.Book
	cut := 0
	for n := uint64(1); n <= last; n++ {
		book.Send(ledger.Sent{Run: 1, Number: n})
		if n%4 == 0 { // curl gives up before, while or after the post is taken
			if _, err := w.post(t, n, "--max-time", fmt.Sprintf("0.%03d", 2+n/4%8)); err != nil {
				cut++
			}
		}
		for range 1 + n%2 { // and every second one is sent twice all the same
			took, err := w.post(t, n)
			must(t, err)
			if took.Taken != 1 || took.Acknowledged[logStream].Seq != n {
				t.Fatalf("post %d: %+v", n, took)
			}
		}
	}
	_, err = v.Await("the last event", 0, 10*time.Second, isNumber(last))
	must(t, err)
	time.Sleep(300 * time.Millisecond) // for a duplicate that should not come
	must(t, v.Enter(&book, 1, 0))
	verdict := book.Close()
	t.Logf("%v; %d of %d answers were cut off", verdict, cut, last/4)
	if !verdict.OK() {
		t.Error(verdict)
	}
	shown, unchanged := polls()
	t.Logf("polled: %d times something new, %d times nothing", shown, unchanged)
	if shown < 2 || unchanged < 2 {
		t.Error("both must come about: values came, and then none")
	}
}

// poll asks for the latest of a device until the returned function is called: as a shell script would, with the ETag of
// the answer before. It counts answers with something new and those without.
func (w *world) poll(t *testing.T, device string) func() (shown, unchanged int) {
	t.Helper()
	tag, out := filepath.Join(w.Dir, "tag"), filepath.Join(w.Dir, "latest.json")
	ask := func() string {
		status, err := w.Curl(w.view, "viewer", "--etag-save", tag, "--etag-compare", tag, "-o", out, "-w", "%{http_code}", w.LatestURL(device))
		if err != nil {
			t.Error(err)
		}
		return strings.TrimSpace(status)
	}
	counts := map[string]int{}
	stop := make(chan struct{})
	var polling sync.WaitGroup
	polling.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				counts[ask()]++
			}
		}
	})
	end := sync.OnceFunc(func() { close(stop); polling.Wait() })
	t.Cleanup(end)
	return func() (shown, unchanged int) {
		end()
		for range 5 {
			counts[ask()]++
		}
		if n := counts["200"] + counts["304"]; n != sum(counts) {
			t.Errorf("answers by status: %v", counts)
		}
		return counts["200"], counts["304"]
	}
}

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// TestCurlWatchesAgent: what an agent publishes can be read without a client of ours, in a line a stream, and its absence seen.
func TestCurlWatchesAgent(t *testing.T) {
	w := newWorld(t)
	device := w.startDevice(t, "board", "--source", "stdin")
	must(t, device.Write(`{"stream": "temperature", "value": 21.5, "unit": "°C"}`))
	want := "temperature 21.5 °C\n"
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		out, err := w.Curl(w.view, "viewer", "--fail", "-H", "Accept: text/plain", w.LatestURL("board"))
		must(t, err)
		if out == want {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q, want %q", out, want)
		}
	}
	out, err := w.Curl(w.dev, "device", "-w", "%{http_code}", "-d", `{"stream":"a","value":1}`, w.SamplesURL("board"))
	must(t, err)
	if !strings.Contains(out, "name-taken") || !strings.HasSuffix(strings.TrimSpace(out), "409") {
		t.Errorf("a post under the name of a device that is there: %s", out)
	}
	_, err = device.Stop(5 * time.Second)
	must(t, err)
	out, err = w.Curl(w.view, "viewer", "--fail", w.LatestURL("board"))
	must(t, err)
	var shown rig.Event
	must(t, json.Unmarshal([]byte(out), &shown))
	if shown.State != "offline" || !strings.Contains(out, "21.5") {
		t.Errorf("after its end: %s", out)
	}
}
