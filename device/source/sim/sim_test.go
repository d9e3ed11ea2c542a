package sim

import (
	"bytes"
	"compress/flate"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/device/source/sourcetest"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, text string, d time.Duration) *sourcetest.Recorder {
	t.Helper()
	config, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var r sourcetest.Recorder
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := New(config).Run(ctx, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestPayloadsTellLossAndAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := run(t, "rate=100,size=100,streams=2,class=event", time.Second+time.Millisecond)
		for _, stream := range []string{"sim/1", "sim/2"} {
			samples := r.Of(stream)
			if len(samples) != 101 {
				t.Fatalf("%s: %d samples in a second at 100 a second", stream, len(samples))
			}
			for i, s := range samples {
				counter, at, err := Check(s.Value.Bytes())
				if err != nil || counter != uint64(i+1) || at != s.T || len(s.Value.Bytes()) != 100 {
					t.Fatalf("sample %d: counter %d, time %d of %d, %v", i, counter, at, s.T, err)
				}
				if due := start.Add(time.Duration(i) * 10 * time.Millisecond); s.T != due.UnixMicro() {
					t.Fatalf("sample %d at %d, want %d", i, s.T, due.UnixMicro())
				}
			}
		}
		for _, s := range r.Streams() {
			if !s.Meta.Simulated || s.Class != wire.Event || s.Meta.PeriodMS != 10 || s.Meta.Kind != telemetry.Bytes {
				t.Errorf("described as %+v", s)
			}
		}
	})
}

func TestNumbersAreMarkedAsSimulated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, "rate=10", 10*time.Second)
		s := r.Streams()[0]
		if !s.Meta.Simulated || s.Class != wire.Live || *s.Meta.Min != -1 || *s.Meta.Max != 1 {
			t.Errorf("described as %+v", s)
		}
		low, high := 0.0, 0.0
		for _, s := range r.Samples() {
			low, high = min(low, s.Value.Number()), max(high, s.Value.Number())
		}
		if low > -0.99 || high < 0.99 || low < -1 || high > 1 {
			t.Errorf("a sine from %v to %v", low, high)
		}
	})
}

func TestPayloadCannotBeCompressed(t *testing.T) {
	p := AppendPayload(nil, MaxSize, 1, 2)
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write(p)
	_ = w.Close()
	if b.Len() < len(p) {
		t.Errorf("%d bytes shrank to %d", len(p), b.Len())
	}
}

func TestCheckFindsDamage(t *testing.T) {
	for size := MinSize; size < 40; size++ {
		p := AppendPayload(nil, size, 7, 1_700_000_000_000_000)
		for i := range p {
			p[i] ^= 4
			if _, _, err := Check(p); err == nil {
				t.Errorf("size %d: byte %d may be damaged", size, i)
			}
			p[i] ^= 4
		}
	}
	if _, _, err := Check(nil); err == nil {
		t.Error("nothing is a payload")
	}
}

func TestParseMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"rate=0":                `rate="0": want a number`,
		"rate=NaN":              `want a number`,
		"rate=1e9":              `want a number`,
		"size=10":               `20 to 8192`,
		"size=9000":             `20 to 8192`,
		"streams=257":           `1 to 256`,
		"class=signal":          `live or event`,
		"wave=circle":           `sine, square, saw`,
		"deadline=0s":           `duration`,
		"speed=3":               `unknown option "speed"`,
		"rate=10,,size=0":       `unknown option ""`,
		"rate=100,class=lively": `live or event`,
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
