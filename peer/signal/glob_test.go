package signal

import (
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"*", "", true},
		{"*", "host/cpu", true},
		{"host/*", "host/cpu/0", true},
		{"host/*", "hosts/cpu", false},
		{"*/cpu", "host/cpu", true},
		{"*cpu*", "host/cpu/0", true},
		{"host/cp?", "host/cpu", true},
		{"host/cp?", "host/cp", false},
		{"", "", true},
		{"", "a", false},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxbyy", false},
		{"[a]", "a", false},
	} {
		if got := Match(c.glob, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.glob, c.name, got)
		}
	}
}

// A glob comes from a viewer: it must not cost the device more than its length says.
func TestMatchHostileGlob(t *testing.T) {
	began := time.Now()
	if Match(strings.Repeat("a*", 64)+"b", strings.Repeat("a", 128)) {
		t.Error("matches")
	}
	if d := time.Since(began); d > 50*time.Millisecond {
		t.Errorf("took %v", d)
	}
}

func TestWanted(t *testing.T) {
	if !Wanted(nil, "x") || Wanted([]string{"a", "b*"}, "x") || !Wanted([]string{"a", "x*"}, "xy") {
		t.Error("Wanted is not any of, or all if none")
	}
}
