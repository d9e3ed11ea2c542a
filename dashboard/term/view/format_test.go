package view

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

var (
	device = signal.Device{ID: "0123456789abcdef0123456789abcdef", Name: "green house", State: "live", Since: 1767225600.25}
	stream = signal.Stream{ID: 1, Name: "air/temperature", Class: "live"}
	now    = time.Date(2026, 1, 1, 12, 3, 4, 5e6, time.Local)
)

func sample() Sample {
	return Sample{
		Device: &device, Stream: &stream, Unit: "°C", Epoch: 0xa1b2c3, Seq: 42, T: now.UnixMicro(),
		Value: telemetry.NumberValue(21.5), Path: "udp",
		Age: Age{Value: 3100 * time.Microsecond, Err: 420 * time.Microsecond, Known: true, ErrKnown: true},
	}
}

func with(change func(*Sample)) Sample {
	s := sample()
	change(&s)
	return s
}

func TestJSONSample(t *testing.T) {
	for _, c := range []struct {
		name, want string
		sample     Sample
	}{
		{
			"number", `{"type":"sample","device":"green house","id":"0123456789abcdef0123456789abcdef","stream":"air/temperature",` +
				`"epoch":"00a1b2c3","seq":42,"t":1767225600.000007,"value":21.5,"class":"live","age_ms":3.100,"age_err_ms":0.420,` +
				`"path":"udp","late":false,"retained":false,"past":false}`,
			with(func(s *Sample) { s.T = 1767225600_000007 }),
		},
		{
			"kept text of unknown age", `{"type":"sample","device":"green house","id":"0123456789abcdef0123456789abcdef","stream":"air/temperature",` +
				`"epoch":"00a1b2c3","seq":42,"t":0.500000,"value":"a\n\"b\"","class":"live","age_ms":null,"age_err_ms":null,` +
				`"path":"ws","late":true,"retained":true,"past":false}`,
			with(func(s *Sample) {
				s.T, s.Value, s.Age, s.Path, s.Late, s.Kept = 500000, telemetry.TextValue("a\n\"b\""), Age{}, "ws", true, true
			}),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(JSON{}.Sample(nil, &c.sample))
			if diff := cmp.Diff(c.want+"\n", got); diff != "" {
				t.Error(diff)
			}
			if !json.Valid([]byte(got)) {
				t.Error("no JSON")
			}
		})
	}
}

// TestJSONIsSafeToLookAt: nothing that a terminal would obey, and still the same text.
func TestJSONIsSafeToLookAt(t *testing.T) {
	const evil = "\x1b[31m\x1b]0;title\x07 \u009b31m \x7f \u202e \u2028 \u200b \U000e0001 ü\u00a0☃"
	got := JSON{}.Sample(nil, new(with(func(s *Sample) { s.T, s.Value, s.Unit = -1_500_000, telemetry.TextValue(evil), evil })))
	for _, r := range strings.TrimSuffix(string(got), "\n") {
		if !wire.Printable(r) {
			t.Errorf("%U stands in the line", r)
		}
	}
	var back struct {
		T     float64
		Value string
	}
	if err := json.Unmarshal(got, &back); err != nil || back.Value != evil || back.T != -1.5 {
		t.Errorf("reads as %q at %v, %v", back.Value, back.T, err)
	}
}

func TestJSONOthers(t *testing.T) {
	var b []byte
	b = JSON{}.Path(b, now, peer.Path{Rung: ladder.WS, OK: true, Reason: "the only path so far"})
	b = JSON{}.Path(b, now, peer.Path{Reason: "no path is proven"})
	b = JSON{}.Gap(b, now, "log", wire.Gap{Epoch: 7, From: 3, To: 9, Reason: wire.GapRing})
	b = JSON{}.Gap(b, now, "log", wire.Gap{Epoch: 7, From: 3, Reason: wire.GapRestart})
	b = JSON{}.Presence(b, now, device)
	b = JSON{}.Clock(b, now, -time.Minute, 1500*time.Microsecond)
	want := `{"type":"path","path":"ws","reason":"the only path so far"}
{"type":"path","path":null,"reason":"no path is proven"}
{"type":"gap","stream":"log","epoch":"00000007","from":3,"to":9,"reason":"ring"}
{"type":"gap","stream":"log","epoch":"00000007","from":3,"to":null,"reason":"restart"}
{"type":"presence","device":"green house","id":"0123456789abcdef0123456789abcdef","state":"live","since":1767225600.25}
{"type":"clock","ahead_ms":-60000.000,"err_ms":1.500}
`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Error(diff)
	}
}

func TestText(t *testing.T) {
	lines := func(s Sample) string { return string(Text{}.Sample(nil, &s)) }
	for _, c := range []struct{ got, want string }{
		{lines(sample()), "12:03:04.005  air/temperature           21.5 °C           3.1 ms ± 0.4 ms     udp\n"},
		{
			lines(with(func(s *Sample) { s.T, s.Ahead = now.Add(-time.Hour).UnixMicro(), -time.Hour })),
			"12:03:04.005  air/temperature           21.5 °C           3.1 ms ± 0.4 ms     udp\n",
		},
		{
			lines(with(func(s *Sample) { s.Age, s.Late = Age{}, true })),
			"12:03:04.005  air/temperature           21.5 °C           age unknown         udp, late\n",
		},
		{
			lines(with(func(s *Sample) {
				s.Kept, s.Held, s.Path, s.Age = true, 47*time.Second, "ws", Age{Value: 48 * time.Second, Known: true}
			})),
			"12:03:04.005  air/temperature           21.5 °C           48 s                ws, kept for 47 s\n",
		},
		{
			lines(with(func(s *Sample) { s.Unit, s.Value = "", telemetry.TextValue("\x1b[2Jred\u202e\n\xff") })),
			"12:03:04.005  air/temperature           \\x1b[2Jred\\u202e\\n\\xff  3.1 ms ± 0.4 ms     udp\n",
		},
		{
			string(Text{}.Gap(nil, now, "log", wire.Gap{From: 3, To: 9, Reason: wire.GapRing})),
			"12:03:04.005  ── gap in log: 7 samples are missing, 3 to 9: overwritten before they could be sent\n",
		},
		{
			string(Text{}.Gap(nil, now, "log", wire.Gap{From: 3, Reason: wire.GapRestart})),
			"12:03:04.005  ── gap in log: samples are missing, it is unknown how many, from 3 on: the device restarted\n",
		},
		{
			string(Text{}.Path(nil, now, peer.Path{OK: true, Both: true, Beside: ladder.WS, Reason: "on trial"})),
			"12:03:04.005  ── path: udp and ws (on trial)\n",
		},
		{string(Text{}.Presence(nil, now, device)), "12:03:04.005  ── green house: Live\n"},
		{string(Text{}.Clock(nil, now, -time.Minute, time.Millisecond)), "12:03:04.005  ── its clock is 1 min 0 s behind this one; times are by this one, and ages are right\n"},
		{string(Text{}.Clock(nil, now, 90*time.Minute, time.Millisecond)), "12:03:04.005  ── its clock is 1 h 30 min ahead of this one; times are by this one, and ages are right\n"},
		{string(Text{}.Clock(nil, now, time.Second, time.Millisecond)), "12:03:04.005  ── its clock is right now\n"},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestState(t *testing.T) {
	for want, d := range map[string]signal.Device{
		"Live":                              {State: "live"},
		"Reachable, heard 48 s ago":         {State: "reachable", HeardMS: 48_200},
		"Offline since 11:03:04":            {State: "offline", Since: float64(now.Add(-time.Hour).Unix())},
		"Offline since 2025-12-31 11:03:04": {State: "offline", Since: float64(now.Add(-25 * time.Hour).Unix())},
		"Offline since 11:03:04, may be back in a moment": {
			State: "offline", Since: float64(now.Add(-time.Hour).Unix()), GraceMS: 1,
		},
		`Unknown (\x1b[0m)`: {State: "\x1b[0m"},
	} {
		if got := State(d, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0.4 ms": 420 * time.Microsecond, "12 ms": 12300 * time.Microsecond, "1.5 s": 1500 * time.Millisecond,
		"48 s": 48 * time.Second, "2 min 5 s": 125 * time.Second, "3 h 0 min": 3 * time.Hour, "4 days": 100 * time.Hour,
		"56 years": 56*365*24*time.Hour + 400*time.Hour,
	} {
		if got := Short(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestAge(t *testing.T) {
	at := time.UnixMicro(1_000_000)
	live := &peer.Received{At: at}
	will := &peer.Received{At: at, Held: 3 * time.Second, Header: wire.Header{Will: true}}
	known := clock{offset: time.Hour, err: time.Millisecond, known: true}
	taken := at.Add(time.Hour - 5*time.Millisecond).UnixMicro() // on a device's clock that is an hour ahead
	for _, c := range []struct {
		name string
		got  Age
		want Age
	}{
		{"live", known.age(live, taken), Age{5 * time.Millisecond, time.Millisecond, true, true}},
		{"no clock", clock{}.age(live, taken), Age{}},
		{"last will", known.age(will, 7), Age{Value: 3 * time.Second, Known: true}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	if got := sampleTime(will, 7); got != at.Add(-3*time.Second).UnixMicro() {
		t.Errorf("time of a last will %d", got)
	}
}

// TestClockNews: a clock that is wrong is told once, and again when it is set.
func TestClockNews(t *testing.T) {
	var n clockNews
	for i, step := range []struct {
		ahead, err time.Duration
		want       bool
	}{
		{0, time.Millisecond, false},
		{4 * time.Second, time.Millisecond, false},
		{8 * time.Second, 4 * time.Second, false}, // it may be right
		{8 * time.Second, time.Millisecond, true},
		{8*time.Second + 10*time.Millisecond, time.Millisecond, false},
		{-time.Hour, time.Millisecond, true},
		{time.Millisecond, time.Millisecond, true},
		{0, time.Millisecond, false},
	} {
		if got := n.look(clock{step.ahead, step.err, true}); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	if n.look(clock{offset: time.Hour}) {
		t.Error("told although nothing is known")
	}
}

// FuzzEscape: whatever a device says cannot control a terminal.
func FuzzEscape(f *testing.F) {
	for _, text := range []string{"plain", "\x1b]0;title\a", "\u202e", "\xff\xfe", "a\u200bb", "�"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range Escape(text) {
			if !wire.Printable(r) {
				t.Fatalf("%q has %U", text, r)
			}
		}
		if strings.TrimFunc(text, wire.Printable) == "" && Escape(text) != text {
			t.Fatalf("%q was changed", text)
		}
	})
}
