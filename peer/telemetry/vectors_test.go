package telemetry

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/peer/wire"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew from the batches in this file")

const vectorsFile = "testdata/vectors.json"

// vector is one line of the golden file, which the TypeScript twin reads too.
// Those with an error must be refused with it; all others must decode to the
// columns; those that are canonical must also be what an encoder makes.
type vector struct {
	Name      string    `json:"name"`
	Count     int       `json:"count"`
	Payload   string    `json:"payload"` // hex
	Error     string    `json:"error,omitempty"`
	Canonical bool      `json:"canonical,omitempty"`
	Kind      string    `json:"kind,omitempty"`
	T         []int64   `json:"t,omitempty"`
	Numbers   []float64 `json:"numbers,omitempty"`
	Bools     []bool    `json:"bools,omitempty"`
	Texts     []string  `json:"texts,omitempty"`
	Blobs     []string  `json:"blobs,omitempty"` // hex
}

// errorNames are the words of the golden file for the errors, as the
// TypeScript twin's errors carry them.
var errorNames = map[string]error{
	"short": wire.ErrShort, "range": wire.ErrRange, "form": ErrForm, "not-finite": ErrNotFinite,
	"utf8": ErrUTF8, "long": ErrLong, "count": ErrCount,
}

func numbers(t []int64, values ...float64) *Batch {
	return &Batch{Kind: Number, T: t, Numbers: values}
}

func steps(first, step int64, n int) (t []int64) {
	for i := range n {
		t = append(t, first+int64(i)*step)
	}
	return t
}

// encoded are batches with the payload that an encoder must make of them.
func encoded() map[string]*Batch {
	const now = 1_795_000_000_000_000 // µs: a day in November 2026
	many := numbers(steps(now, 10_000, wire.MaxCount))
	for i := range wire.MaxCount {
		many.Numbers = append(many.Numbers, math.Sin(float64(i)))
	}
	return map[string]*Batch{
		"one double":                        numbers([]int64{now}, 0.1),
		"one single":                        numbers([]int64{now}, 21.5),
		"one integer":                       numbers([]int64{now}, 42),
		"zero at 1970":                      numbers([]int64{0}, 0),
		"negative zero is no integer":       numbers([]int64{now}, math.Copysign(0, -1)),
		"extremes":                          numbers([]int64{0, maxSigned, 2*maxSigned - 1}, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64),
		"the latest time":                   numbers([]int64{wire.MaxInt}, 1.0/3),
		"single extremes":                   numbers(steps(now, 1, 3), math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32),
		"largest integers":                  numbers([]int64{now, now}, maxSigned, maxSigned-1),
		"difference too large for integers": numbers([]int64{now, now}, maxSigned, -maxSigned),
		"integer beyond the format":         numbers([]int64{now}, maxSigned+1),
		"singles before integers at equals": numbers([]int64{now}, 1<<26),
		"counter":                           numbers(steps(now, 1_000_000, 8), 1000, 1001, 1002, 1003, 1005, 1004, 1006, -1),
		"two are never regular":             numbers(steps(now, 10_000, 2), 0.1, 0.2),
		"three are":                         numbers(steps(now, 10_000, 3), 0.1, 0.2, 0.3),
		"regular backward":                  numbers(steps(now, -10_000, 3), 0.5, 0.25, 0.125),
		"times back and forth":              numbers([]int64{now, now + 10_007, now + 9_000, now + 9_000}, 0.5, 1.5, 2.5, 3.5),
		"a full batch":                      many,
		"bools":                             {Kind: Bool, T: steps(now, 500, 11), Bools: []bool{true, false, false, true, true, false, true, false, false, true, true}},
		"one bool":                          {Kind: Bool, T: []int64{now}, Bools: []bool{true}},
		"texts":                             {Kind: Text, T: []int64{now, now + 3, now + 4}, Texts: []string{"", "door open", "21 °C 漢字 🙂"}},
		"text with a byte order mark":       {Kind: Text, T: []int64{now}, Texts: []string{"\ufeffkept\x00"}},
		"longest text":                      {Kind: Text, T: []int64{now}, Texts: []string{string(bytes.Repeat([]byte("x"), wire.MaxText))}},
		"bytes":                             {Kind: Bytes, T: []int64{now, now + 1}, Blobs: [][]byte{{}, {0, 0xff, 0x80}}},
	}
}

// others are payloads that no encoder makes, and that all must read alike.
func others() []vector {
	return []vector{
		{Name: "bytes behind the values are ignored", Count: 1, Payload: "100754deadbeef", Kind: "number", T: []int64{7}, Numbers: []float64{42}},
		{Name: "unknown form bits are ignored", Count: 1, Payload: "d00754", Kind: "number", T: []int64{7}, Numbers: []float64{42}},
		{Name: "regular with one sample has no step", Count: 1, Payload: "300754", Kind: "number", T: []int64{7}, Numbers: []float64{42}},
		{Name: "regular with two", Count: 2, Payload: "3007025401", Kind: "number", T: []int64{7, 8}, Numbers: []float64{42, 41}},
		{Name: "long varint", Count: 1, Payload: "108780800001", Kind: "number", T: []int64{7}, Numbers: []float64{-1}},

		{Name: "empty", Count: 1, Payload: "", Error: "short"},
		{Name: "no samples", Count: 0, Payload: "100754", Error: "count"},
		{Name: "too many samples", Count: wire.MaxCount + 1, Payload: "100754", Error: "count"},
		{Name: "no time", Count: 1, Payload: "10", Error: "short"},
		{Name: "time ends early", Count: 1, Payload: "1087", Error: "short"},
		{Name: "time of nine bytes", Count: 1, Payload: "1080808080808080808000", Error: "range"},
		{Name: "time beyond 2^53", Count: 1, Payload: "10808080808080801002", Error: "range"},
		{Name: "delta before 1970", Count: 2, Payload: "10070f0202", Error: "range"},
		{Name: "step before 1970", Count: 4, Payload: "30070502020202", Error: "range"},
		{Name: "times beyond 2^53", Count: 2, Payload: "10ffffffffffffff0f020202", Error: "range"},
		{Name: "steps beyond 2^53", Count: 1024, Payload: "3000feffffffffffff0f02", Error: "range"},
		{Name: "no step", Count: 3, Payload: "3007", Error: "short"},
		{Name: "unknown encoding of numbers", Count: 1, Payload: "180754", Error: "form"},
		{Name: "encoded bools", Count: 1, Payload: "090701", Error: "form"},
		{Name: "unknown kind", Count: 1, Payload: "040754", Error: "form"},
		{Name: "double ends early", Count: 1, Payload: "000700000000000000", Error: "short"},
		{Name: "single ends early", Count: 1, Payload: "0807000000", Error: "short"},
		{Name: "integers end early", Count: 3, Payload: "3007025402", Error: "short"},
		{Name: "sum of differences beyond the format", Count: 2, Payload: "100702feffffffffffff0f02", Error: "range"},
		{Name: "not a number", Count: 1, Payload: "00077ff8000000000000", Error: "not-finite"},
		{Name: "infinity", Count: 1, Payload: "0007fff0000000000000", Error: "not-finite"},
		{Name: "single not a number", Count: 1, Payload: "08077fc00000", Error: "not-finite"},
		{Name: "single infinity", Count: 1, Payload: "08077f800000", Error: "not-finite"},
		{Name: "bools end early", Count: 9, Payload: "2107020f", Error: "short"},
		{Name: "text ends early", Count: 1, Payload: "02070361", Error: "short"},
		{Name: "text too long", Count: 1, Payload: "0207814061", Error: "long"},
		{Name: "text not UTF-8", Count: 1, Payload: "020702c328", Error: "utf8"},
		{Name: "text with half a surrogate", Count: 1, Payload: "020703eda080", Error: "utf8"},
		{Name: "bytes end early", Count: 2, Payload: "03070201aa01", Error: "short"},
		{Name: "length of nine bytes", Count: 1, Payload: "0307ffffffffffffffffff01", Error: "range"},
	}
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var read []vector
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func (v vector) batch(t *testing.T) *Batch {
	t.Helper()
	kind, ok := ParseKind(v.Kind)
	if !ok {
		t.Fatalf("kind %q", v.Kind)
	}
	b := &Batch{Kind: kind, T: v.T, Numbers: v.Numbers, Bools: v.Bools, Texts: v.Texts}
	for _, text := range v.Blobs {
		b.Blobs = append(b.Blobs, unhex(t, text))
	}
	return b
}

func vectorOf(name string, b *Batch, payload []byte) vector {
	v := vector{
		Name: name, Count: b.Len(), Payload: hex.EncodeToString(payload), Canonical: true,
		Kind: b.Kind.String(), T: b.T, Numbers: b.Numbers, Bools: b.Bools, Texts: b.Texts,
	}
	for _, blob := range b.Blobs {
		v.Blobs = append(v.Blobs, hex.EncodeToString(blob))
	}
	return v
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) { v.run(t) })
	}
}

func (v vector) run(t *testing.T) {
	payload := unhex(t, v.Payload)
	var got Batch
	err := Decode(&got, payload, v.Count)
	if v.Error != "" {
		if want := errorNames[v.Error]; want == nil || !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, v.Error)
		}
		if got.Len() != 0 || got.values() != 0 {
			t.Fatalf("%d samples stand after an error", got.Len())
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want := v.batch(t)
	if diff := cmp.Diff(want, &got, sameBits); diff != "" {
		t.Fatal(diff)
	}
	if !v.Canonical {
		return
	}
	if again, err := Append(nil, want); err != nil || !bytes.Equal(again, payload) {
		t.Fatalf("encoded %x, %v; want %x", again, err, payload)
	}
}

// sameBits tells the two zeros apart, and a missing column not from an empty one.
var sameBits = cmp.Options{
	cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
	cmp.FilterValues(func(a, b []bool) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
	cmp.FilterValues(func(a, b []float64) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
	cmp.FilterValues(func(a, b []string) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
	cmp.FilterValues(func(a, b [][]byte) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
}
