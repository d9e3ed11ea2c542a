package line

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The packs are in the manner of RFC 8428, section 5, at the time of the test's clock.
func TestSenML(t *testing.T) {
	clock := time.Unix(946684800, 0)
	now := clock.Unix()
	for _, c := range []struct {
		name, pack string
		want       []string // stream value unit seconds-from-now
	}{
		{"one value", `[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]`, []string{"urn:dev:ow:10e2073a01080063 23.1 Cel 0"}},
		{
			"base name, time and unit", fmt.Sprintf(`[{"bn":"dev/","bt":%d.5,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},`+
				`{"n":"current","t":-5,"v":1.2},{"n":"current","v":1.7}]`, now),
			[]string{"dev/voltage 120.1 V 0.5", "dev/current 1.2 A -4.5", "dev/current 1.7 A 0.5"},
		},
		{"relative times", `[{"bn":"a","v":1,"t":-60},{"v":2},{"v":3,"t":2.5}]`, []string{"a 1  -60", "a 2  0", "a 3  2.5"}},
		{"relative base time", `[{"bn":"a","bt":-10,"v":1,"t":3}]`, []string{"a 1  -7"}},
		{"base value", `[{"bn":"a","bv":20,"v":1},{"v":-2.5}]`, []string{"a 21  0", "a 17.5  0"}},
		{
			"all kinds", `[{"bn":"x/","n":"a","vs":"text"},{"n":"b","vb":true},{"n":"c","vd":"aGkg"},{"n":"d","v":0}]`,
			[]string{"x/a text  0", "x/b true  0", "x/c 3 bytes 686920  0", "x/d 0  0"},
		},
		{"base record alone", `[{"bn":"x/","bu":"m"},{"n":"a","v":1}]`, []string{"x/a 1 m 0"}},
		{"unknown members", `[{"n":"a","v":1,"other":{"x":1}}]`, []string{"a 1  0"}},
		{"empty", `[]`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			readings, errs := parsePack([]byte(c.pack), clock)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			var got []string
			for _, r := range readings {
				got = append(got, fmt.Sprintf("%s %s %s %g", r.Stream, r.Value, r.Unit, float64(r.T-now*1e6)/1e6))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSenMLMistakes(t *testing.T) {
	for _, c := range []struct {
		name, pack, want string
		readings         int
	}{
		{"sum", `[{"n":"a","s":1}]`, `record 1: "s": sums are not supported`, 0},
		{"base sum", `[{"n":"a","v":1},{"bs":1}]`, `record 2: "bs": sums are not supported`, 0},
		{"must understand", `[{"n":"a","v":1,"x_":1}]`, `"x_" must be understood`, 0},
		{"version", `[{"bver":11,"n":"a","v":1}]`, `version 11 is newer than 10`, 0},
		{"no value", `[{"n":"a"},{"n":"b","v":1}]`, `record 1: 0 values`, 1},
		{"two values", `[{"n":"a","v":1,"vs":"x"},{"n":"b","v":1}]`, `record 1: 2 values`, 1},
		{"no name", `[{"v":1},{"n":"b","v":1}]`, `record 1: stream "": the name is empty`, 1},
		{"old", `[{"n":"a","v":1,"t":1000000000},{"n":"b","v":1}]`, `more than 24 h`, 1},
		{"string for number", `[{"n":"a","v":"1"}]`, `want a number value`, 0},
		{"bad base64", `[{"n":"a","vd":"%%"}]`, `illegal base64`, 0},
		{"number for name", `[{"n":7,"v":1}]`, `"n":`, 0},
		{"infinite sum of times", `[{"bt":1e308,"n":"a","v":1,"t":1e308}]`, `not a number of seconds`, 0},
		{"infinite value", `[{"bv":1e308,"n":"a","v":1.7e308}]`, `not finite`, 0},
		{"no records", `[1,2]`, `SenML: not JSON`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			readings, errs := parsePack([]byte(c.pack), time.Now())
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.want) || len(readings) != c.readings {
				t.Errorf("%d readings, %v, want %s", len(readings), errs, c.want)
			}
		})
	}
}
