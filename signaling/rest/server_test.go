package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come; it is no time that is measured.
const patience = 10 * time.Second

// world is a real server, reached over real HTTP.
type world struct {
	t     *testing.T
	url   string
	admin string
	dir   string
	http  *http.Client
	stop  func() // waits
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), http: &http.Client{Transport: &http.Transport{}}}
	s, err := server.New(server.Config{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: w.dir})
	if err != nil {
		t.Fatal(err)
	}
	w.url, w.admin = "http://"+s.Addr().String(), "http://"+s.AdminAddr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		w.http.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	t.Cleanup(w.stop)
	<-s.Ready()
	return w
}

func (w *world) token(role string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, "tokens", role))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

// outcome is the answer to a post, or a refusal.
type outcome struct {
	Code, Reason, Remedy      string
	Device, ID                string
	Taken, Refused, Described int
	Acknowledged              map[string]struct {
		Epoch, Level string
		Seq          uint64
		Count        int
	}
	Errors []struct {
		Line  int
		Error string
	}
}

// latest is the answer to a poll.
type latest struct {
	Device, ID, State string
	Since             float64
	HeardMS           *int `json:"heard_ms"`
	Streams           []struct {
		Stream, Unit, Kind, Class, Epoch string
		Value                            any
		T                                float64
		Seq                              uint64
		HeldMS                           *int `json:"held_ms"`
		Simulated, Will                  bool
	}
}

func (w *world) do(req *http.Request) answer {
	w.t.Helper()
	got, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(text)}
}

// ask sends a request with the token of a role. headers are names and values.
func (w *world) ask(method, role, path string, body io.Reader, headers ...string) answer {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+"/v1/devices/"+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	if role != "" {
		req.Header.Set("Authorization", "Bearer "+w.token(role))
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return w.do(req)
}

// post publishes for a device and reads what became of it.
func (w *world) post(device, body string, headers ...string) (int, outcome) {
	w.t.Helper()
	a := w.ask("POST", "device", device+"/samples", strings.NewReader(body), headers...)
	return a.status, parse[outcome](w.t, a.text)
}

// must is post where everything is right.
func (w *world) must(device, body string, headers ...string) outcome {
	w.t.Helper()
	status, o := w.post(device, body, headers...)
	if status != http.StatusOK || o.Refused != 0 {
		w.t.Fatalf("%d %+v", status, o)
	}
	return o
}

func (w *world) latest(path string) latest {
	w.t.Helper()
	a := w.ask("GET", "viewer", path, nil)
	if a.status != http.StatusOK {
		w.t.Fatalf("%d %s", a.status, a.text)
	}
	return parse[latest](w.t, a.text)
}

func parse[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
	return v
}

// awaitState polls until the device is in a state.
func (w *world) awaitState(device, state string) latest {
	w.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		l := w.latest(device + "/latest")
		if l.State == state {
			return l
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s is %s", device, l.State)
		}
	}
}

// sample is what a viewer was shown.
type sample struct {
	stream string
	epoch  uint32
	seq    uint64
	value  string
}

// viewer watches with our own client.
type viewer struct {
	mu      sync.Mutex
	samples []sample // live ones
	gaps    []wire.Gap
	path    peer.Path
	changed chan struct{} // room for one
}

func (w *world) watch(device, from string) *viewer {
	w.t.Helper()
	v := &viewer{changed: make(chan struct{}, 1)}
	conn, err := peer.Dial(peer.ViewConfig{
		Endpoint: peer.Endpoint{URL: w.url, Token: w.token("viewer"), Proxy: peer.ProxyNone}, Device: device, From: from,
		Events: peer.Events{
			Batch: v.batch,
			Gap:   func(_ *signal.Stream, g wire.Gap) { v.note(func() { v.gaps = append(v.gaps, g) }) },
			Path:  func(p peer.Path) { v.note(func() { v.path = p }) },
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- conn.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
	return v
}

func (v *viewer) batch(r peer.Received) {
	var b telemetry.Batch
	if r.Retained || telemetry.Decode(&b, r.Payload, r.Header.Count) != nil {
		return
	}
	v.note(func() {
		for i := r.Skip; i < r.Skip+r.Take; i++ {
			v.samples = append(v.samples, sample{r.Stream.Name, r.Header.Epoch, r.Header.Seq + uint64(i), b.Value(i).String()})
		}
	})
}

func (v *viewer) note(what func()) {
	v.mu.Lock()
	what()
	v.mu.Unlock()
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

// await waits until what is seen satisfies done.
func (v *viewer) await(t *testing.T, what string, done func() bool) {
	t.Helper()
	late := time.After(patience)
	for {
		v.mu.Lock()
		ok := done()
		v.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-v.changed:
		case <-late:
			t.Fatalf("no %s", what)
		}
	}
}
