package drive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKeys(t *testing.T) {
	for sent, want := range map[string][]key{
		"w":                    {forward},
		"WaSd":                 {forward, left, back, right},
		"\x1b[A\x1bOB\x1b[D":   {forward, back, left},
		"\x1b":                 {stop},
		" ":                    {stop},
		"\x1b\x1b[A":           {stop, forward},
		"\x1b[1;5A":            {stop}, // nobody foresaw it
		"\x1b[20~w":            {stop},
		"q":                    {quit},
		"\x03":                 {quit},
		"x1ü":                  nil,
		"rgn":                  {ask, give, deny},
		strings.Repeat("w", 3): {forward, forward, forward},
	} {
		if got := keys([]byte(sent)); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", sent, got, want)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte("\x1b[A\x1b"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		if got := keys(sent); len(got) > len(sent) || bytes.ContainsRune(sent, 0x1b) && len(got) == 0 {
			t.Errorf("%q: %v", sent, got)
		}
	})
}

// fake is a Remote that notes what is wanted.
type fake struct {
	mu     sync.Mutex
	status peer.Status
	hands  []said
	did    []string
	mute   bool // a stop is not answered
}

type said struct {
	at      time.Time
	counter uint64
	targets []wire.Target
}

func (f *fake) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.did = append(f.did, what)
}

func (f *fake) Status() peer.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *fake) Hand(counter uint64, targets []wire.Target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hands = append(f.hands, said{time.Now(), counter, targets})
}

func (f *fake) Stop(ctx context.Context) (i rpc.StopInfo, err error) {
	f.note("stop")
	if f.mute {
		<-ctx.Done()
		err = ctx.Err()
	}
	return i, err
}

func (f *fake) Take(context.Context) (i rpc.LeaseInfo, err error) {
	f.note("take")
	return i, nil
}

func (f *fake) Request(context.Context) (i rpc.LeaseInfo, err error) {
	f.note("request")
	return i, nil
}

func (f *fake) Release(context.Context) (i rpc.LeaseInfo, err error) {
	f.note("release")
	return i, nil
}
func (f *fake) Give(to string) { f.note("give " + to) }
func (f *fake) Deny(to string) { f.note("deny " + to) }

// driving runs do with a terminal that is typed at.
func driving(t *testing.T, f *fake, do func(typed func(string), shown func() string)) {
	synctest.Test(t, func(t *testing.T) {
		in, terminal := io.Pipe()
		out := &screen{}
		ended := make(chan error, 1)
		go func() { ended <- Run(t.Context(), Config{Remote: f, In: in, Out: out, Part: 0.5}) }()
		time.Sleep(time.Second)
		do(func(keys string) {
			if _, err := io.WriteString(terminal, keys); err != nil {
				t.Fatal(err)
			}
		}, out.String)
		time.Sleep(time.Second)
		_, _ = io.WriteString(terminal, "q")
		if err := <-ended; err != nil {
			t.Error(err)
		}
		terminal.Close()
		synctest.Wait()
	})
}

type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

// String is what stands on the screen since it was asked last.
func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.b.Reset()
	return s.b.String()
}

func rover() *fake {
	return &fake{status: peer.Status{
		Machine: &rpc.Machine{Axes: []rpc.Axis{{ID: 1, Name: "drive", Min: -2, Max: 2}, {ID: 2, Name: "turn", Min: -1, Max: 3, Neutral: 1}, {ID: 3}}},
		Lease:   rpc.LeaseInfo{Mine: true, Holder: &rpc.Operator{ID: "me", Name: "Ada"}}, LeaseLeft: 5 * time.Second,
	}}
}

// TestKeysAreTheHand: the counter rises with the keys that the terminal tells of, once more when they are let go, and stands still then.
func TestKeysAreTheHand(t *testing.T) {
	f := rover()
	driving(t, f, func(typed func(string), _ func() string) {
		if len(f.hands) > 0 {
			t.Errorf("without a key: %+v", f.hands)
		}
		for range 10 {
			typed("w")
			time.Sleep(40 * time.Millisecond)
		}
		typed("a")
		typed("d")
		time.Sleep(time.Second)
	})
	counters, rose := map[uint64]time.Time{}, 0
	for _, h := range f.hands {
		if _, known := counters[h.counter]; !known {
			counters[h.counter] = h.at
			rose++
		}
	}
	if rose != 13 { // ten, two, and letting go
		t.Errorf("the counter rose %d times", rose)
	}
	first, last := f.hands[0], f.hands[len(f.hands)-1]
	if !slices.Equal(first.targets, []wire.Target{{Axis: 1, Value: 1}, {Axis: 2, Value: 1}}) {
		t.Errorf("first %+v", first)
	}
	if !slices.Equal(last.targets, []wire.Target{{Axis: 1}, {Axis: 2, Value: 1}}) {
		t.Errorf("last %+v", last)
	}
	if after := last.at.Sub(counters[12]); after < keyTime || after > keyTime+2*lookEvery {
		t.Errorf("let go after %v", after)
	}
	if turn := slices.IndexFunc(f.hands, func(h said) bool { return h.counter == 12 }); f.hands[turn].targets[1].Value != 0 { // to the right, where left is positive
		t.Errorf("the other direction does not win: %+v", f.hands[turn])
	}
	if !slices.Equal(f.did, []string{"take", "release"}) {
		t.Errorf("did %v", f.did)
	}
}

func TestStopLetsGo(t *testing.T) {
	f := rover()
	driving(t, f, func(typed func(string), _ func() string) {
		typed("w")
		typed("\x1b")
	})
	if last := f.hands[len(f.hands)-1]; last.targets[0].Value != 0 || !slices.Contains(f.did, "stop") {
		t.Errorf("%+v, did %v", last, f.did)
	}
}

func TestLeaseKeysAndLine(t *testing.T) {
	f := rover()
	f.status.Lease = rpc.LeaseInfo{Holder: &rpc.Operator{ID: "b", Name: "Bob\x1b[2J"}}
	driving(t, f, func(typed func(string), shown func() string) {
		if text := shown(); !strings.Contains(text, "holds the lease: r asks for it") || strings.Contains(text, "\x1b[2J") {
			t.Errorf("shown %q", text)
		}
		typed("r")
		time.Sleep(time.Second)
		f.mu.Lock()
		f.status.Lease.Code, f.status.Lease.Reason = rpc.CodeHeld, "Bob keeps it"
		f.mu.Unlock()
		shown()
		time.Sleep(time.Second)
		if text := shown(); !strings.Contains(text, "Bob keeps it: r asks for the lease again") {
			t.Errorf("shown %q", text)
		}
		f.mu.Lock()
		f.status.Lease = rpc.LeaseInfo{Mine: true, Holder: &rpc.Operator{ID: "me"}, Asks: []rpc.Operator{{ID: "c", Name: "Carl"}}}
		f.status.Driving, f.status.RoundTrip = rpc.Obeyed, 12300*time.Microsecond
		f.mu.Unlock()
		shown()
		time.Sleep(time.Second)
		if text := shown(); !strings.Contains(text, "Carl asks for the lease: g gives it, n denies · moving · round trip 12.3 ms") {
			t.Errorf("shown %q", text)
		}
		typed("n")
		typed("g")
	})
	if !slices.Equal(f.did, []string{"take", "request", "deny c", "give c", "release"}) {
		t.Errorf("did %v", f.did)
	}
}

// TestTerminalIsGone: that is the end, and no hand.
func TestTerminalIsGone(t *testing.T) {
	f := rover()
	in, terminal := io.Pipe()
	terminal.Close()
	if err := Run(t.Context(), Config{Remote: f, In: in, Out: io.Discard, Part: 1}); err == nil || len(f.hands) > 0 {
		t.Errorf("%v, %+v", err, f.hands)
	}
}

// Beside "moving" stands where the axes are, as the device says it, and not where they were to go.
func TestAppliedIsShown(t *testing.T) {
	a, batch := &Applied{}, telemetry.Batch{}
	batch.Reset(telemetry.Number)
	for i, v := range []float64{0.25, -0.75} {
		if err := batch.Add(int64(i+1), telemetry.NumberValue(v)); err != nil {
			t.Fatal(err)
		}
	}
	payload, err := telemetry.Append(nil, &batch)
	if err != nil {
		t.Fatal(err)
	}
	said := func(stream string, late bool) {
		r := peer.Received{Stream: &signal.Stream{Name: stream}, Payload: payload, Take: 2, Late: late}
		r.Header.Count = 2
		a.Received(r)
	}
	said("control/turn", true)
	said("control/speed", false)
	status := peer.Status{Driving: rpc.Obeyed, Machine: &rpc.Machine{Axes: []rpc.Axis{
		{Name: "speed", Unit: "m/s", Stream: "control/speed"}, {Name: "turn", Stream: "control/turn"},
	}}}
	if text := line(status, a); !strings.HasSuffix(text, "moving: speed -0.75 m/s") {
		t.Error(text)
	}
	said("control/turn", false)
	if text := line(status, a); !strings.HasSuffix(text, "moving: speed -0.75 m/s, turn -0.75") {
		t.Error(text)
	}
}

// A stop that somebody quits behind is said until it is answered, or it is said that it was not.
func TestQuitBehindAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{mute: true}
		f.status.Stop.Sending = rpc.Stop
		in, terminal := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- Run(t.Context(), Config{Remote: f, In: in, Out: &screen{}}) }()
		_, _ = io.WriteString(terminal, " q")
		begun := time.Now()
		if err := <-ended; !errors.Is(err, errUnstopped) || time.Since(begun) != stopTime {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		terminal.Close()
		synctest.Wait()
	})
}
