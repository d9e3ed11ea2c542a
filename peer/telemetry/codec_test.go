package telemetry

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/telepath-iot/telepath/peer/wire"
)

func TestAppendRefuses(t *testing.T) {
	long := string(make([]byte, wire.MaxText+1))
	cases := map[string]struct {
		batch *Batch
		want  error
	}{
		"nothing":                 {&Batch{}, ErrCount},
		"too many":                {numbers(make([]int64, wire.MaxCount+1), make([]float64, wire.MaxCount+1)...), ErrCount},
		"fewer values than times": {numbers([]int64{1, 2}, 1), ErrCount},
		"unknown kind":            {&Batch{Kind: kinds, T: []int64{1}, Numbers: []float64{1}}, ErrForm},
		"not a number":            {numbers([]int64{1}, math.NaN()), ErrNotFinite},
		"infinity":                {numbers([]int64{1, 2}, 1, math.Inf(-1)), ErrNotFinite},
		"long text":               {&Batch{Kind: Text, T: []int64{1}, Texts: []string{long}}, ErrLong},
		"no UTF-8":                {&Batch{Kind: Text, T: []int64{1}, Texts: []string{"\xff"}}, ErrUTF8},
		"long bytes":              {&Batch{Kind: Bytes, T: []int64{1}, Blobs: [][]byte{[]byte(long)}}, ErrLong},
		"time beyond 2^53":        {numbers([]int64{wire.MaxInt + 1}, 1), wire.ErrRange},
		"later beyond 2^53":       {numbers([]int64{wire.MaxInt, wire.MaxInt + 1}, 1, 2), wire.ErrRange},
		"a leap of 200 years":     {numbers([]int64{0, wire.MaxInt}, 1, 2), wire.ErrRange},
	}
	for name, c := range cases {
		got, err := Append([]byte("kept"), c.batch)
		if !errors.Is(err, c.want) || string(got) != "kept" {
			t.Errorf("%s: got %q, %v; want %v", name, got, err, c.want)
		}
	}
}

func TestTimesBefore1970CountAs1970(t *testing.T) {
	payload, err := Append(nil, numbers([]int64{-20, -10, 0, 10}, 1, 2, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	var got Batch
	if err := Decode(&got, payload, 4); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{0, 0, 0, 10}, got.T); diff != "" {
		t.Fatal(diff)
	}
}

func TestDecodedTextsOutliveThePayload(t *testing.T) {
	payload, _ := Append(nil, &Batch{Kind: Text, T: []int64{1}, Texts: []string{"door"}})
	var got Batch
	if err := Decode(&got, payload, 1); err != nil {
		t.Fatal(err)
	}
	clear(payload)
	if got.Texts[0] != "door" {
		t.Fatalf("got %q", got.Texts[0])
	}
}

// drawBatch makes a batch such as sources make, and worse.
func drawBatch(t *rapid.T) *Batch {
	b := &Batch{Kind: rapid.SampledFrom([]Kind{Number, Bool, Text, Bytes}).Draw(t, "kind")}
	n := rapid.IntRange(1, 40).Draw(t, "n")
	at := rapid.Int64Range(0, wire.MaxInt/2).Draw(t, "t")
	step := rapid.Int64Range(-1000, 1_000_000).Draw(t, "step")
	regular := rapid.Bool().Draw(t, "regular")
	style := rapid.IntRange(0, 2).Draw(t, "style")
	for range n {
		b.T = append(b.T, max(at, 0))
		at += step
		if !regular {
			at += rapid.Int64Range(-5000, 5000).Draw(t, "jitter")
		}
		switch b.Kind {
		case Bool:
			b.Bools = append(b.Bools, rapid.Bool().Draw(t, "bool"))
		case Text:
			b.Texts = append(b.Texts, rapid.StringN(0, 20, 80).Draw(t, "text"))
		case Bytes:
			b.Blobs = append(b.Blobs, rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "blob"))
		default:
			b.Numbers = append(b.Numbers, drawNumber(t, style))
		}
	}
	return b
}

func drawNumber(t *rapid.T, style int) float64 {
	switch style {
	case 0:
		return float64(rapid.Int64Range(-maxSigned, maxSigned).Draw(t, "integer"))
	case 1:
		return float64(rapid.Float32Range(-math.MaxFloat32, math.MaxFloat32).Draw(t, "single"))
	default:
		return rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "double")
	}
}

func TestRoundTrip(t *testing.T) {
	var got Batch // one for all: what it held before must not show
	rapid.Check(t, func(t *rapid.T) {
		want := drawBatch(t)
		payload, err := Append(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		trailed := append(bytes.Clone(payload), rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "trail")...)
		if err := Decode(&got, trailed, want.Len()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, &got, sameBits); diff != "" {
			t.Fatal(diff)
		}
		if newest, ok := NewestTime(trailed, want.Len()); !ok || newest != want.T[want.Len()-1] {
			t.Fatalf("newest %d, %v of %v", newest, ok, want.T)
		}
		if err := Decode(&got, payload[:len(payload)-1], want.Len()); !errors.Is(err, wire.ErrShort) {
			t.Fatalf("cut short: %v", err)
		}
	})
}

// FuzzDecode checks that any bytes are read or refused, and that what was read
// can be written and read again.
func FuzzDecode(f *testing.F) {
	for _, b := range encoded() {
		payload, _ := Append(nil, b)
		f.Add(payload, b.Len())
	}
	f.Fuzz(func(t *testing.T, payload []byte, count int) {
		var got, again Batch
		if Decode(&got, payload, count) != nil {
			return
		}
		if got.Len() != count || got.values() != count {
			t.Fatalf("%d times and %d values of %d", got.Len(), got.values(), count)
		}
		smaller, err := Append(nil, &got)
		if err != nil || len(smaller) > len(payload) {
			t.Fatalf("%d bytes became %d: %v", len(payload), len(smaller), err)
		}
		if err := Decode(&again, smaller, count); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again, sameBits); diff != "" {
			t.Fatal(diff)
		}
	})
}

// steady is what a 100 Hz stream sends in 320 ms.
func steady(values func(i int) float64) *Batch {
	b := numbers(steps(1_795_000_000_000_000, 10_000, 32))
	for i := range 32 {
		b.Numbers = append(b.Numbers, values(i))
	}
	return b
}

var shapes = map[string]*Batch{
	"doubles":  steady(func(i int) float64 { return math.Sin(float64(i)) }),
	"singles":  steady(func(i int) float64 { return float64(i) + 1e6 + 0.5 }),
	"integers": steady(func(i int) float64 { return float64(i * i) }),
}

func TestNumbersDoNotAllocate(t *testing.T) {
	for name, b := range shapes {
		var got Batch
		buffer, err := Append(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { buffer, _ = Append(buffer[:0], b) }); n != 0 {
			t.Errorf("%s: Append allocates %v times", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { _ = Decode(&got, buffer, b.Len()) }); n != 0 {
			t.Errorf("%s: Decode allocates %v times", name, n)
		}
	}
}

func BenchmarkNumbers(b *testing.B) {
	for name, batch := range shapes {
		payload, _ := Append(nil, batch)
		perSample := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/sample")
			b.ReportMetric(float64(len(payload))/float64(batch.Len()), "B/sample")
		}
		b.Run("append "+name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				payload, _ = Append(payload[:0], batch)
			}
			perSample(b)
		})
		b.Run("decode "+name, func(b *testing.B) {
			b.ReportAllocs()
			var got Batch
			for range b.N {
				_ = Decode(&got, payload, batch.Len())
			}
			perSample(b)
		})
	}
}
