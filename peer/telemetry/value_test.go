package telemetry

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/peer/wire"
)

func TestValues(t *testing.T) {
	cases := []struct {
		value      Value
		kind       Kind
		text, json string
	}{
		{Value{}, Number, "0", "0"},
		{NumberValue(-21.5), Number, "-21.5", "-21.5"},
		{BoolValue(true), Bool, "true", "true"},
		{BoolValue(false), Bool, "false", "false"},
		{TextValue("a\"b"), Text, "a\"b", `"a\"b"`},
		{BytesValue([]byte{0xfb, 0xff}), Bytes, "2 bytes fbff", `"-_8"`},
	}
	for _, c := range cases {
		encoded, err := json.Marshal(c.value)
		if c.value.Kind() != c.kind || c.value.String() != c.text || string(encoded) != c.json || err != nil {
			t.Errorf("got %v %q %s %v, want %v %q %s", c.value.Kind(), c.value.String(), encoded, err, c.kind, c.text, c.json)
		}
		batch := Batch{Kind: c.kind}
		if err := batch.Add(1, c.value); err != nil {
			t.Errorf("add %v: %v", c.value, err)
		}
		if diff := cmp.Diff(c.value, batch.Value(0), cmp.AllowUnexported(Value{})); diff != "" {
			t.Error(diff)
		}
	}
}

// TestAppendedInOneForm: the short ways write what the long one does.
func TestAppendedInOneForm(t *testing.T) {
	values := []Value{BoolValue(true), BoolValue(false), BytesValue(nil), BytesValue([]byte{0, 1, 2, 0xfb, 0xff})}
	for _, x := range []float64{0, math.Copysign(0, -1), 1, -21.5, 1e-6, 9.9e-7, 1e20, 1e21, -1e300, 0.1 + 0.2, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		values = append(values, NumberValue(x))
	}
	for r := range rune(0x300) {
		values = append(values, TextValue("a"+string(r)+"b"))
	}
	for _, text := range []string{"", "plain text: {}[]'~", "\u202e\u2028\U000e0001☃", "a<b>&c"} {
		values = append(values, TextValue(text))
	}
	for _, v := range values {
		if got, want := string(AppendValue([]byte("…"), v)), string(AppendJSON([]byte("…"), v)); got != want {
			t.Errorf("%v is appended as %s, want %s", v, got, want)
		}
	}
}

func TestAppendingAllocatesNothing(t *testing.T) {
	b, blob := make([]byte, 0, 1024), make([]byte, 100)
	for _, v := range []Value{NumberValue(21.5), BoolValue(true), TextValue("open"), BytesValue(blob)} {
		if n := testing.AllocsPerRun(100, func() { b = AppendSeconds(AppendValue(b[:0], v), 1767225600_000007) }); n != 0 {
			t.Errorf("%v allocates %v times", v, n)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	full := Batch{}
	for i := range wire.MaxCount {
		if err := full.Add(int64(i), NumberValue(1)); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		batch *Batch
		value Value
		want  error
	}{
		"another kind": {&Batch{}, TextValue("x"), ErrKind},
		"NaN":          {&Batch{}, NumberValue(math.NaN()), ErrNotFinite},
		"infinity":     {&Batch{}, NumberValue(math.Inf(1)), ErrNotFinite},
		"long text":    {&Batch{Kind: Text}, TextValue(strings.Repeat("x", wire.MaxText+1)), ErrLong},
		"no UTF-8":     {&Batch{Kind: Text}, TextValue("\xff"), ErrUTF8},
		"long bytes":   {&Batch{Kind: Bytes}, BytesValue(make([]byte, wire.MaxText+1)), ErrLong},
		"a full batch": {&full, NumberValue(1), ErrCount},
	}
	for name, c := range cases {
		before := c.batch.Len()
		if err := c.batch.Add(1, c.value); !errors.Is(err, c.want) || c.batch.Len() != before {
			t.Errorf("%s: got %v, %d samples; want %v, %d", name, err, c.batch.Len(), c.want, before)
		}
	}
}

func TestAddingNumbersDoesNotAllocate(t *testing.T) {
	var b Batch
	add := func() {
		b.Reset(Number)
		for i := range 100 {
			_ = b.Add(int64(i), NumberValue(float64(i)))
		}
	}
	add()
	if n := testing.AllocsPerRun(100, add); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
