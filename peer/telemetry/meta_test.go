package telemetry

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func bound(x float64) *float64 { return &x }

func TestMetaRoundTrip(t *testing.T) {
	want := Meta{
		Kind: Text, Unit: "°C", Label: "Core 0", Group: "temperature", Min: bound(0), Max: bound(100),
		PeriodMS: 1000, Source: "host", Simulated: true,
	}
	data, err := want.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"kind":"text","unit":"°C","label":"Core 0","group":"temperature","min":0,"max":100,"period_ms":1000,"source":"host","simulated":true}`
	if string(data) != text {
		t.Fatalf("got %s", data)
	}
	got, err := ParseMeta(data)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
}

func TestParseMetaMakesSafe(t *testing.T) {
	cases := []struct {
		data string
		want Meta
	}{
		{``, Meta{}},
		{`{}`, Meta{}},
		{`{"later":[1],"unit":"V"}`, Meta{Unit: "V"}},
		{`{"label":"a\u202eb\u0000c\n"}`, Meta{Label: "abc"}},
		{`{"unit":"` + strings.Repeat("°", 20) + `"}`, Meta{Unit: strings.Repeat("°", 16)}},
		{`{"unit":"x` + strings.Repeat("°", 20) + `"}`, Meta{Unit: "x" + strings.Repeat("°", 15)}},
		{`{"min":3,"max":3}`, Meta{}},
		{`{"min":3}`, Meta{Min: bound(3)}},
		{`{"period_ms":-1}`, Meta{}},
	}
	for _, c := range cases {
		got, err := ParseMeta([]byte(c.data))
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", c.data, err, diff)
		}
	}
}

func TestParseMetaRefuses(t *testing.T) {
	for _, data := range []string{`[]`, `{"kind":"colour"}`, `{"unit":1}`, `{"min":1e999}`, `{`} {
		if got, err := ParseMeta([]byte(data)); err == nil || got != (Meta{}) {
			t.Errorf("%s: got %+v", data, got)
		}
	}
}

func TestMetaRefusesWhatJSONCannotHold(t *testing.T) {
	for _, m := range []Meta{{Min: bound(math.NaN())}, {Max: bound(math.Inf(1))}, {PeriodMS: math.NaN()}} {
		if data, err := m.Append(nil); !errors.Is(err, ErrNotFinite) || data != nil {
			t.Errorf("got %s, %v", data, err)
		}
	}
}

// FuzzMeta checks that any description is refused, or safe to show: as it is when it is written and read again.
func FuzzMeta(f *testing.F) {
	f.Add([]byte(`{"kind":"text","unit":"°C","label":"a\u202eb","group":"g","min":0,"max":100,"period_ms":1e3,"source":"host"}`))
	f.Add([]byte(`{"unit":"\ud800x` + strings.Repeat("°", 40) + `","min":-0.0,"max":1e-400}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseMeta(data)
		if err != nil {
			return
		}
		for _, text := range []string{got.Unit, got.Label, got.Group, got.Source} {
			if len(text) > maxLabel || printable(text, maxLabel) != text {
				t.Errorf("%q is not safe to show", text)
			}
		}
		written, err := got.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseMeta(written)
		if diff := cmp.Diff(got, again); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}
