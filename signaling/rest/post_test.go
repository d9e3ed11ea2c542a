package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestMistakes: what is right is taken, what is wrong is told, by line.
func TestMistakes(t *testing.T) {
	w := start(t)
	status, o := w.post("green", `{"stream":"a","value":1}
hello

{"stream":"a","value":"text"}
[{"n":"b","v":1},{"n":"b"}]
{"describe":"a","untis":"m"}
{"stream":"a","value":2,"t":1}
{"stream":"a","value":3}`)
	if status != http.StatusOK || o.Taken != 3 || o.Refused != 5 || o.Acknowledged["a"].Seq != 2 || o.Acknowledged["b"].Seq != 1 {
		t.Errorf("%d %+v", status, o)
	}
	wants := map[int]string{2: "neither a JSON object", 4: "kind of a stream cannot change", 5: "SenML record 2", 6: "unknown field", 7: "more than 24 h"}
	for _, e := range o.Errors {
		if want := wants[e.Line]; want == "" || !strings.Contains(e.Error, want) {
			t.Errorf("line %d: %s", e.Line, e.Error)
		}
		delete(wants, e.Line)
	}
	if len(wants) > 0 {
		t.Errorf("not told: %v", wants)
	}
	status, o = w.post("green", strings.Repeat("x\n", 1000)+`{"stream":"a","value":4}`)
	if status != http.StatusOK || o.Refused != 1000 || len(o.Errors) != 20 || o.Acknowledged["a"].Seq != 3 {
		t.Errorf("%d %+v", status, o)
	}
	for _, body := range []string{"x", "[", "[1]", "7", `{"stream":"a"}`, `{"stream":"a","value":"text"}`, "\xff", strings.Repeat("[", 100_000)} {
		if status, o = w.post("green", body); status != http.StatusBadRequest || o.Code != "malformed" || o.Taken != 0 || o.Refused != 1 || len(o.Errors) != 1 {
			t.Errorf("%.20q: %d %+v", body, status, o)
		}
	}
	if status, _ = w.post("never", "x"); status != http.StatusBadRequest {
		t.Error(status)
	}
	if a := w.ask("GET", "viewer", "never/latest", nil); a.status != http.StatusNotFound {
		t.Errorf("a post of which nothing is right made a device: %d", a.status)
	}
}

func TestRefusedPosts(t *testing.T) {
	w := start(t)
	const fine = `{"stream":"a","value":1}`
	large := strings.Repeat(" ", 1<<20) + fine
	for _, c := range []struct {
		name, role, path string
		body             io.Reader
		status           int
		code             string
		headers          []string
	}{
		{"nobody", "", "green/samples", strings.NewReader(fine), 400 + 3, "bad-origin", nil},
		{"a wrong token", "", "green/samples", strings.NewReader(fine), 401, "unauthorized", []string{"Authorization", "Bearer x"}},
		{"a viewer", "viewer", "green/samples", strings.NewReader(fine), 403, "forbidden", nil},
		{"an admin", "admin", "green/samples", strings.NewReader(fine), 403, "forbidden", nil},
		{"too long", "device", "green/samples", strings.NewReader(large), 413, "too-large", nil},
		{"too long, without saying so", "device", "green/samples", io.MultiReader(strings.NewReader(large)), 413, "too-large", nil},
		{"packed", "device", "green/samples", strings.NewReader(fine), 400, "malformed", []string{"Content-Encoding", "gzip"}},
		{"a long key", "device", "green/samples", strings.NewReader(fine), 400, "malformed", []string{"Idempotency-Key", strings.Repeat("k", 256)}},
		{"a long keep alive", "device", "green/samples?keep_alive=61m", strings.NewReader(fine), 400, "malformed", nil},
		{"no keep alive", "device", "green/samples", strings.NewReader(fine), 400, "malformed", []string{"Telepath-Keep-Alive", "soon"}},
		{"a name nobody can read", "device", "a%E2%80%AEb/samples", strings.NewReader(fine), 400, "malformed", nil},
		{"a long name", "device", strings.Repeat("n", 65) + "/samples", strings.NewReader(fine), 400, "malformed", nil},
	} {
		a := w.ask("POST", c.role, c.path, c.body, c.headers...)
		if o := parse[outcome](t, a.text); a.status != c.status || o.Code != c.code || o.Remedy == "" {
			t.Errorf("%s: %d %+v", c.name, a.status, o)
		}
	}
	if a := w.ask("GET", "viewer", "green/latest", nil); a.status != http.StatusNotFound {
		t.Errorf("a refused post made a device: %d %s", a.status, a.text)
	}
}

// TestKey: a post with a known key is answered as the first one, also while
// that one is under way, and nothing of it is taken.
func TestKey(t *testing.T) {
	w := start(t)
	var all sync.WaitGroup
	answers := make([]string, 16)
	for i := range answers {
		all.Go(func() {
			body := fmt.Sprintf(`{"stream":"log","value":"%d"}`, i/4)
			answers[i] = w.ask("POST", "device", "green/samples", strings.NewReader(body), "Idempotency-Key", fmt.Sprint("k", i/4)).text
		})
	}
	all.Wait()
	for i, a := range answers {
		if a != answers[i/4*4] {
			t.Errorf("post %d: %s, the first with its key: %s", i, a, answers[i/4*4])
		}
	}
	if got := w.latest("green/latest"); got.Streams[0].Seq != 4 {
		t.Errorf("%d were taken", got.Streams[0].Seq)
	}
	if o := w.must("blue", `{"stream":"log","value":"x"}`, "Idempotency-Key", "k0"); o.Device != "blue" {
		t.Errorf("the key of another device: %+v", o)
	}
	if status, _ := w.post("green", "x", "Idempotency-Key", "bad"); status != http.StatusBadRequest {
		t.Error(status)
	}
	if status, o := w.post("green", `{"stream":"log","value":"x"}`, "Idempotency-Key", "bad"); status != http.StatusBadRequest || o.Code != "malformed" {
		t.Errorf("a refusal that was final: %d %+v", status, o)
	}
}

// TestManyDevices: there is a bound, and it is told.
func TestManyDevices(t *testing.T) {
	w := start(t)
	for i := range 256 {
		w.must(fmt.Sprint("d", i), `{"stream":"a","value":1}`, "Telepath-Keep-Alive", "1h")
	}
	a := w.ask("POST", "device", "more/samples", strings.NewReader(`{"stream":"a","value":1}`))
	if o := parse[outcome](t, a.text); a.status != http.StatusServiceUnavailable || o.Code != "too-many" || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %+v", a.status, o)
	}
	w.must("d7", `{"stream":"a","value":2}`, "Telepath-Keep-Alive", "1")
	w.awaitState("d7", "offline")
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		status, o := w.post("more", `{"stream":"a","value":1}`)
		if status == http.StatusOK {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d %+v", status, o)
		}
	}
}
