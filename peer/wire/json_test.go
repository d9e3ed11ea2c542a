package wire

import "testing"

func TestDepthKnowsStrings(t *testing.T) {
	for body, want := range map[string]int{
		`{}`:                  1,
		`"[[["`:               0,
		`{"a":"\"[[[","b":1}`: 1,
		`{"a":"\\","b":[[]]}`: 3,
		`[{},[],{"a":[]}]`:    3,
	} {
		if have := Depth([]byte(body)); have != want {
			t.Errorf("depth of %s: %d, want %d", body, have, want)
		}
	}
}
