package gpio

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// bench are pins that remember.
type bench struct {
	mu     sync.Mutex
	levels map[string]uint64 // guarded by mu, like broken
	broken error
}

func (b *bench) take(o Output, level uint64) (output, error) {
	name := o.Pin + o.PWM
	b.mu.Lock()
	defer b.mu.Unlock()
	b.levels[name] = level
	return benchPin{b, name}, nil
}

type benchPin struct {
	*bench
	name string
}

func (p benchPin) set(level uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == nil {
		p.levels[p.name] = level
	}
	return p.broken
}

func (p benchPin) release() {}

// heldBench runs a holder with a lamp, a servo, a horn and a fan that runs where it is safe, and what was said.
func heldBench(t *testing.T, do func(b *bench, tell func(string) string, knock func() string, end func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fan := lineAxis("fan", "GPIO4")
		fan.Neutral = 1
		p, err := Config{
			Axes: []Axis{lineAxis("lamp", "GPIO17"), fan, pwmAxis(rpc.Axis{Name: "steer", Min: -1, Max: 1}, 20*time.Millisecond, time.Millisecond, 2*time.Millisecond)},
			Methods: []Method{
				{Method: rpc.Method{Name: "horn"}, Output: Output{Pin: "GPIO27"}, For: 300 * time.Millisecond},
				{Method: rpc.Method{Name: "relay"}, Output: Output{Pin: "GPIO22"}},
			},
		}.plan()
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{levels: map[string]uint64{}}
		h, err := take(p, b.take, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		said := make(chan string, 100)
		h.say = func(a answer) {
			text, _ := json.Marshal(a)
			said <- string(text)
		}
		in, feed := io.Pipe()
		knocks, ended := make(chan net.Conn), make(chan error, 1)
		go func() { ended <- h.run(read(in), knocks) }()
		tell := func(line string) string {
			_, _ = io.WriteString(feed, line+"\n") // it is read to its end
			synctest.Wait()
			var all []string
			for len(said) > 0 {
				all = append(all, <-said)
			}
			return strings.Join(all, " ")
		}
		knock := func() string {
			ours, its := net.Pipe()
			knocks <- its
			text, _ := io.ReadAll(ours)
			return string(text)
		}
		do(b, tell, knock, func() error { feed.Close(); return <-ended })
	})
}

func (b *bench) want(t *testing.T, when string, lamp, fan, steer, horn, relay uint64) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	got := []uint64{b.levels["GPIO17"], b.levels["GPIO4"], b.levels["pwmchip0/0"], b.levels["GPIO27"], b.levels["GPIO22"]}
	if want := []uint64{lamp, fan, steer, horn, relay}; !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", when, got, want)
	}
}

func TestObey(t *testing.T) {
	heldBench(t, func(b *bench, tell func(string) string, knock func() string, end func() error) {
		b.want(t, "at first", 0, 1, 1_500_000, 0, 0)
		for _, c := range [][2]string{
			{`{"id": 1, "set": {"lamp": 0.9, "steer": 0.33333333}}`, `{"id":1,"applied":{"lamp":1,"steer":0.333334}}`},
			{`{"id": 2, "call": "relay", "on": true}`, `{"id":2}`},
			{`{"id": 3, "call": "horn"}`, ``},
			{`{"id": 4, "call": "horn"}`, `{"id":4,"failed":"\"horn\" is under way"}`},
			{`{"id": 5, "call": "no"}`, `{"id":5,"failed":"there is no method \"no\""}`},
			{`{"id": 6, "set": {"no": 1}}`, `{"id":6,"failed":"there is no axis \"no\""}`},
			{`{"id": 7, "set": "rubbish"}`, ``},
			{`rubbish`, ``},
		} {
			if got := tell(c[0]); got != c[1] {
				t.Errorf("%s: %s, want %s", c[0], got, c[1])
			}
		}
		b.want(t, "told", 1, 1, 1_666_667, 1, 1)
		time.Sleep(300 * time.Millisecond)
		if got := tell(`{"id": 8, "set": {"fan": 0}}`); got != `{"id":3} {"id":8,"applied":{"fan":0}}` {
			t.Error(got)
		}
		b.want(t, "the pulse is over", 1, 0, 1_666_667, 0, 1)
		tell(`{"id": 9, "call": "horn"}`)
		if got := tell(`{"cancel": 9}`); got != `{"id":9,"failed":"it was cancelled"}` {
			t.Error(got)
		}
		b.want(t, "cancelled", 1, 0, 1_666_667, 0, 1)
		tell(`{"id": 10, "call": "horn"}`)
		if got := tell(`{"id": 11, "safe": true}`); got != `{"id":10,"failed":"it was made safe"} {"id":11}` {
			t.Error(got)
		}
		b.want(t, "safe", 0, 1, 1_500_000, 0, 0)
		tell(`{"id": 12, "set": {"lamp": 1, "fan": 0, "steer": -1}}`)
		if got := knock(); got != "safe\n" {
			t.Error(got)
		}
		b.want(t, "somebody has knocked", 0, 1, 1_500_000, 0, 0)
		tell(`{"id": 13, "set": {"lamp": 1, "fan": 0, "steer": -1}}`)
		tell(`{"id": 14, "call": "horn"}`)
		if err := end(); err != nil {
			t.Error(err)
		}
		b.want(t, "nobody feeds it", 0, 1, 1_500_000, 0, 0)
	})
}

// A pin that cannot be set is said, to everybody who asks.
func TestBrokenPin(t *testing.T) {
	heldBench(t, func(b *bench, tell func(string) string, knock func() string, end func() error) {
		b.mu.Lock()
		b.broken = errors.New("input/output error")
		b.mu.Unlock()
		if got := tell(`{"id": 1, "set": {"lamp": 1}}`); got != `{"id":1,"failed":"\"lamp\": input/output error"}` {
			t.Error(got)
		}
		if got := tell(`{"id": 2, "safe": true}`); strings.Count(got, "input/output error") != 5 {
			t.Error(got)
		}
		if got := knock(); !strings.Contains(got, "input/output error") {
			t.Error(got)
		}
		if err := end(); err == nil {
			t.Error("it has ended as if all were safe")
		}
	})
}
