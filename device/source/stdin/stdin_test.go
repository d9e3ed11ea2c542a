package stdin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/device/source/sourcetest"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/telemetry/line"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// feed runs the source over text and returns what came out and what was logged.
func feed(t *testing.T, text string) (*sourcetest.Recorder, string) {
	t.Helper()
	var r sourcetest.Recorder
	var log bytes.Buffer
	s := New(Config{In: strings.NewReader(text), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := s.Run(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	return &r, log.String()
}

// values writes samples as "stream=value".
func values(r *sourcetest.Recorder) []string {
	var out []string
	for _, s := range r.Samples() {
		out = append(out, s.Stream+"="+s.Value.String())
	}
	return out
}

func TestValues(t *testing.T) {
	r, log := feed(t, `{"stream":"a","value":21.5}
  {"stream":"b","value":"open","mine":[1]}

{"stream":"c","value":true,"class":"event"}
{"stream":"a","value":-1e3,"unit":"°C"}`)
	want := []string{"a=21.5", "b=open", "c=true", "a=-1000"}
	if diff := cmp.Diff(want, values(r)); diff != "" {
		t.Error(diff)
	}
	got := map[string]string{}
	for _, s := range r.Streams() {
		got[s.Name] = s.Class.String() + " " + s.Meta.Kind.String() + " " + s.Meta.Unit
	}
	if diff := cmp.Diff(map[string]string{"a": "live number °C", "b": "event text ", "c": "event bool "}, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log, "lines=5 refused=0") {
		t.Error(log)
	}
}

func TestDescribe(t *testing.T) {
	r, log := feed(t, `{"describe":"a","unit":"°C","range":[-20,50],"period":1,"label":"Greenhouse","group":"air"}
{"describe":"b","kind":"bool","class":"event","durable":true,"period":"250ms"}
{"stream":"a","value":1}
{"describe":"a","label":"Green house","deadline":0.5}`)
	if strings.Contains(log, "refused:") {
		t.Fatal(log)
	}
	low, high := -20.0, 50.0
	want := []source.Stream{
		{Name: "b", Class: wire.Event, Durable: true, Meta: telemetry.Meta{Kind: telemetry.Bool, PeriodMS: 250, Source: "stdin"}},
		{Name: "a", Class: wire.Live, Deadline: 500 * time.Millisecond, Meta: telemetry.Meta{
			Unit: "°C", Label: "Green house", Group: "air", Min: &low, Max: &high, PeriodMS: 1000, Source: "stdin",
		}},
	}
	if diff := cmp.Diff(want, r.Streams()); diff != "" {
		t.Error(diff)
	}
}

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now() // midnight, 2000-01-01
		r, log := feed(t, fmt.Sprintf(`{"stream":"a","value":1}
{"stream":"a","value":2,"t":%d.250001}
{"stream":"a","value":3,"t":"2000-01-01T00:00:01.5Z"}
{"stream":"a","value":4,"t":0}
{"stream":"a","value":5,"t":%d}
{"stream":"a","value":6,"t":%d000}
{"stream":"a","value":7,"t":"noon"}
{"stream":"a","value":8,"t":null}
{"stream":"a","value":9,"t":-5}`, now.Unix(), now.Unix()+2*86400, now.Unix()))
		var got []int64
		for _, s := range r.Samples() {
			got = append(got, s.T-now.UnixMicro())
		}
		if diff := cmp.Diff([]int64{0, 250_001, 1_500_000}, got); diff != "" {
			t.Error(diff)
		}
		for _, want := range []string{
			"line 4: stream \\\"a\\\": its time 1970-01-01T00:00:00Z is more than 24 h from this machine's clock (2000-01-01T00:00:00Z)",
			"line 5: stream \\\"a\\\": its time 2000-01-03T00:00:00Z is more than 24 h",
			"line 6: stream \\\"a\\\": the time 9.466848e+11 is not a number of seconds since 1970: is it in milliseconds?",
			"line 7: stream \\\"a\\\": the time \\\"noon\\\" is not in the form of RFC 3339",
			"line 8: stream \\\"a\\\": the time null is not a number",
			"line 9: stream \\\"a\\\": the time -5 is not a number of seconds",
		} {
			if !strings.Contains(log, want) {
				t.Errorf("no %q in\n%s", want, log)
			}
		}
	})
}

func TestBadLinesHarmNoOther(t *testing.T) {
	long := strings.Repeat("x", wire.MaxText+1)
	for text, want := range map[string]string{
		`hello`:                                          `neither a JSON object nor a SenML pack: \"hello\"`,
		`{"stream":"a","value":NaN}`:                     `not JSON: invalid character 'N'`,
		`{"stream":"a","value":1e999}`:                   `the number 1e999 is too large`,
		`{"stream":"a"}`:                                 `no member \"value\"`,
		`{"stream":"a","value":null}`:                    `the value \"null\" is not a number, string, true or false`,
		`{"stream":"a","value":[1]}`:                     `is not a number, string, true or false`,
		`{"value":1}`:                                    `no member \"stream\"`,
		`{"stream":1,"value":1}`:                         `\"stream\" is not a string`,
		`{"stream":"","value":1}`:                        `the name is empty`,
		`{"stream":"a\u202eb","value":1}`:                `U+202E`,
		`{"stream":"` + long + `","value":1}`:            `more than 128`,
		`{"stream":"a","value":"` + long + `"}`:          `longer than 8192`,
		`{"stream":"good","value":"text"}`:               `it has number values, this one is text: the kind of a stream cannot change`,
		`{"stream":"good","value":1,"class":"event"}`:    `it is live: the class of a stream cannot change`,
		`{"stream":"a","value":1,"class":"signal"}`:      `want live or event`,
		`{"stream":"a","value":1,"unit":"` + long + `"}`: `unit`,
		`{"stream":"a","value":1} trailing`:              `not JSON`,
		"{\"stream\":\"\xff\",\"value\":1}":              `not valid UTF-8`,
		strings.Repeat("x", line.MaxLength+1):            `longer than 65536 bytes`,
		strings.Repeat("[", 1000):                        `not JSON`,
		`{"describe":"good","untis":"m"}`:                `unknown field \"untis\"`,
		`{"describe":"good","kind":"text"}`:              `it has number values: the kind of a stream cannot change`,
		`{"describe":"good","kind":"float"}`:             `want number, bool, text or bytes`,
		`{"describe":"good","range":[1]}`:                `want range as [min, max]`,
		`{"describe":"good","period":0}`:                 `is not a duration`,
		`{"describe":""}`:                                `the name is empty`,
	} {
		t.Run(text[:min(len(text), 40)], func(t *testing.T) {
			before := `{"stream":"good","value":1}` + "\n"
			after := "\n" + `{"stream":"good","value":2}`
			r, log := feed(t, before+text+after)
			if diff := cmp.Diff([]string{"good=1", "good=2"}, values(r)); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(log, "stdin refused: line 2: ") || !strings.Contains(log, want) || !strings.Contains(log, "refused=1") {
				t.Errorf("want %s in\n%s", want, log)
			}
		})
	}
}

func TestRefusalsAreToldSparingly(t *testing.T) {
	_, log := feed(t, strings.Repeat("x\n", 1000))
	if n := strings.Count(log, "\n"); n > refusalBurst+3 {
		t.Errorf("%d lines of log", n)
	}
	for _, want := range []string{"line 1:", "stdin refused 990 more, the last one: line 1000:", "refused=1000"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in\n%s", want, log)
		}
	}
}

// TestRefusalsAreToldThoughNothingFollows: a sender that waits is told too.
func TestRefusalsAreToldThoughNothingFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := newRefusals(slog.New(slog.NewTextHandler(&log, nil)))
		for i := range refusalBurst + 5 {
			r.add(i+1, errors.New("wrong"))
		}
		time.Sleep(tellAfter + time.Millisecond)
		synctest.Wait()
		if want := "stdin refused 5 more, the last one: line 15: wrong"; !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, &log)
		}
	})
}

func TestTooManyStreams(t *testing.T) {
	var text strings.Builder
	for i := range wire.MaxStreams + 1 {
		fmt.Fprintf(&text, `{"stream":"s%d","value":1}`+"\n", i)
	}
	r, log := feed(t, text.String())
	if len(r.Streams()) != wire.MaxStreams || !strings.Contains(log, "at most 256 streams") {
		t.Errorf("%d streams\n%s", len(r.Streams()), log)
	}
}

func TestEndOfContext(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var r sourcetest.Recorder
	done := make(chan error)
	go func() { done <- New(Config{In: in}).Run(ctx, &r) }()
	fmt.Fprintln(out, `{"stream":"a","value":1}`)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestWhatWasWrittenBeforeTheEndIsRead: whoever writes a line and then ends the agent counts on the line.
func TestWhatWasWrittenBeforeTheEndIsRead(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var r sourcetest.Recorder
	for i := range 500 {
		fmt.Fprintf(out, `{"stream":"a","value":%d}`+"\n", i)
	}
	if err := New(Config{In: in}).Run(ctx, &r); err != nil {
		t.Error(err)
	}
	if n := len(r.Samples()); n != 500 {
		t.Errorf("%d of 500 lines were read", n)
	}
	fmt.Fprintln(out, `{"stream":"a","value":-1}`) // too late: dropped
	out.Close()
	if n := len(r.Samples()); n != 500 {
		t.Error("a line was taken after the end")
	}
}
