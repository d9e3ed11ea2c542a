package badinput

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// badLines are what a broken or hostile program may print into an agent, with a part of the reason that must be told.
var badLines = []struct{ line, reason string }{
	{`oops`, "neither a JSON object nor a SenML pack"},
	{`{"stream":"bad","value":NaN}`, "not JSON"},
	{`{"stream":"bad","value":1e999}`, "too large"},
	{`{"stream":"bad","value":-Infinity}`, "not JSON"},
	{`{"stream":"` + strings.Repeat("x", 10_000) + `","value":1}`, "more than 128"},
	{`{"stream":"a\u202eb","value":1}`, "U+202E"},
	{`{"stream":"a\u0007b","value":1}`, "U+0007"},
	{`{"stream":"bad","value":1,"t":0}`, "1970-01-01"},
	{`{"stream":"bad","value":1,"t":4102444800}`, "2100-01-01"},
	{`{"stream":"bad","value":1,"t":1767225600000}`, "milliseconds"},
	{`{"stream":"good","value":1}`, "the kind of a stream cannot change"},
	{`{"stream":"good","value":"x","class":"live"}`, "the class of a stream cannot change"},
	{`{"stream":"bad","value":"` + strings.Repeat("y", 9000) + `"}`, "longer than 8192"},
	{strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "not JSON"},
	{`{"stream":"bad","value":` + strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000) + `}`, "not a number, string, true or false"},
	{"\xff\xfe\x00\x01\x02{\x80}", "not valid UTF-8"},
	{strings.Repeat("z", 10_000_000), "longer than"},
	{`{"describe":"good","unit":"\u202e"}`, "unit"},
	{`[{"n":"bad","v":1},{"n":"bad2","v":"text"}]`, "SenML record 2"},
}

// TestBadLines puts each bad line between two good ones: it is refused with its number and reason, and harms no other.
func TestBadLines(t *testing.T) {
	w := newWorld(t)
	d := w.device(t, "careless")
	numbered(t, d, 1)
	v := w.view(t, "careless", "--from", "start")
	for i, bad := range badLines {
		must(t, d.Write(bad.line))
		numbered(t, d, i+2)
	}
	for i := range 300 { // more streams than a device may have
		must(t, d.Write(fmt.Sprintf(`{"stream":"many/%d","value":%d}`, i, i)))
	}
	numbered(t, d, len(badLines)+2)
	expectNumbered(t, v, len(badLines)+2)
	expectNothingBad(t, v)
	expectRefusals(t, w)
	must(t, d.CloseStdin())
	waitFor(t, d, "stdin ended; what was read stays available")
	if code, err := d.Stop(patience); code != 0 || err != nil {
		t.Errorf("the agent exits with %d, %v", code, err)
	}
}

func expectNothingBad(t *testing.T, v *rig.Watcher) {
	t.Helper()
	events, err := v.Events()
	must(t, err)
	for _, e := range events {
		if e.Stream != "good" && e.Type == "sample" && !strings.HasPrefix(e.Stream, "many/") && e.Stream != "bad" {
			t.Errorf("a sample of %.40q came: %s", e.Stream, e.Value)
		}
	}
}

// expectRefusals feeds a second agent the bad lines alone, few at a time, so that each is told by itself.
func expectRefusals(t *testing.T, w *world) {
	t.Helper()
	for from := 0; from < len(badLines); from += 10 {
		part := badLines[from:min(from+10, len(badLines))]
		d := w.device(t, fmt.Sprintf("worse %d", from))
		numbered(t, d, 1)
		for i, bad := range part {
			must(t, d.Write(bad.line))
			told, err := json.Marshal(bad.reason) // as it stands in a line of JSON
			must(t, err)
			waitFor(t, d, strings.Trim(string(told), `"`))
			waitFor(t, d, fmt.Sprintf("stdin refused: line %d: ", i+2))
		}
	}
}
