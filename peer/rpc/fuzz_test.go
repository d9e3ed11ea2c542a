package rpc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/peer/wire"
)

// What is accepted is within its bounds, and the same when it was encoded anew.

func FuzzCommand(f *testing.F) {
	f.Add([]byte(`{"type":"call","id":"a","epoch":7,"by":9007199254740991,"method":"home","params":{"x":[1]}}`))
	f.Add([]byte(`{"type":"lease","do":"take","key":"k","name":"Ada"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := ParseCommand(body)
		if err != nil {
			return
		}
		if c.Type == "" || len(c.ID) > MaxID || c.By > wire.MaxInt || len(body) > wire.MaxCommand {
			t.Fatalf("accepted %+v", c)
		}
		again, err := ParseCommand(c.Append(nil))
		if len(c.Append(nil)) <= wire.MaxCommand && (err != nil || !sameJSON(t, c, again)) {
			t.Fatalf("%s became %s: %v", c.Append(nil), again.Append(nil), err)
		}
		Refuse(c, CodeRole, "no")
	})
}

func FuzzOutcome(f *testing.F) {
	f.Add([]byte(`{"type":"call","id":"a","state":"done","result":7,"took_us":1}`))
	f.Add([]byte(`{"type":"machine","machine":{"axes":[{"id":1,"name":"x","min":0,"max":1,"neutral":0}]},"moving":true}`))
	f.Add([]byte(`{"type":"lease","id":"id1","fence":3,"mine":true,"ttl_ms":5000}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := begun(t)
		b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: ms})
		b.viewer.LeaseDo(b.now, Take, "")
		b.viewer.SayStop(b.now)
		if err := b.viewer.Outcome(b.now, body); err != nil {
			return
		}
		b.viewer.Hand(b.now, 1, []wire.Target{{Axis: 1, Value: 1}})
		b.run(100 * ms)
		for _, d := range b.drives {
			if len(d.Setpoints) > wire.MaxAxes {
				t.Fatalf("%d setpoints", len(d.Setpoints))
			}
		}
	})
}

func sameJSON(t *testing.T, a, b Command) bool {
	norm := func(c Command) (v any) {
		if err := json.Unmarshal(c.Append(nil), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	return cmp.Equal(norm(a), norm(b))
}

func TestCommandBounds(t *testing.T) {
	long := strings.Repeat("x", MaxID+1)
	for body, ok := range map[string]bool{
		`{"type":"stop"}`:                        true,
		`{"type":"later"}`:                       true, // of a later version
		`{}`:                                     false,
		`[]`:                                     false,
		``:                                       false,
		`{"type":"stop"} {}`:                     false,
		`{"type":"stop","id":"` + long + `"}`:    false,
		`{"type":"lease","key":"` + long + `"}`:  false,
		`{"type":"lease","name":"` + long + `"}`: false,
		`{"type":"lease","name":"a\u202eb"}`:     false,
		`{"type":"call","by":9007199254740992}`:  false,
		`{"type":"call","by":-1}`:                false,
		`{"type":"call","by":1.5}`:               false,
		`{"type":"call","params":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`: false,
		`{"type":"call","params":"` + strings.Repeat("x", wire.MaxCommand) + `"}`:            false,
	} {
		if _, err := ParseCommand([]byte(body)); (err == nil) != ok {
			t.Errorf("%.60s: %v", body, err)
		}
	}
	for body, ok := range map[string]bool{
		`{"type":"call","result":null}`:       true,
		`{"type":"call","id":"` + long + `"}`: false,
		`{"id":"a"}`:                          false,
		`7`:                                   false,
	} {
		if _, err := ParseOutcome([]byte(body)); (err == nil) != ok {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}
