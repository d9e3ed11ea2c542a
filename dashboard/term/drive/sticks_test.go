package drive

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// The same cases hold for the page (dashboard/web/src/hands/sticks.test.ts).
func TestSticksFor(t *testing.T) {
	text, err := os.ReadFile("testdata/sticks.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Axes        []string
		Ahead, Side string
		Left        bool
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	for _, c := range cases {
		var axes []rpc.Axis
		for i, name := range c.Axes {
			axes = append(axes, rpc.Axis{ID: uint64(i + 1), Name: name})
		}
		s := sticksFor(axes)
		if name(s.ahead) != c.Ahead || name(s.side) != c.Side || s.left != c.Left {
			t.Errorf("%q: ahead %q, side %q, left %v", c.Axes, name(s.ahead), name(s.side), s.left)
		}
	}
}

func name(a *rpc.Axis) string {
	if a == nil {
		return ""
	}
	return a.Name
}
