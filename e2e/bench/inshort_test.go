package main

import (
	"math"
	"strings"
	"testing"
)

func fresh(ms ...float64) *peerRow { return &peerRow{fresh: ms} }

func TestInShortShowsTheBestOfTheOthers(t *testing.T) {
	failed := fresh(1)
	failed.failed = []string{"no sample came"}
	all := &peersResult{rows: map[string]map[string]*peerRow{"blackhole": {
		rawUDP: fresh(30), rawTCP: fresh(900, 800, 700), "WebSocket relay": fresh(2000), "MQTT over TCP": failed, "pion, reliable": fresh(math.Inf(1)),
		"telepath udp": fresh(60), "telepath ws": fresh(5),
	}}}
	want := "| after 10 s of silence, until something fresh comes | **60 ms** | 30 ms | 800 ms (raw TCP) |\n"
	if got := all.inShort(); !strings.Contains(got, want) || strings.Count(got, "\n| ") != 2 {
		t.Errorf("%q, want a title and %q", got, want)
	}
	all.rows = map[string]map[string]*peerRow{"blackhole": {"pion, reliable": fresh(math.Inf(1))}}
	if got := all.inShort(); !strings.Contains(got, "| **–** | – | not within 10s (pion, reliable) |") {
		t.Errorf("%q", got)
	}
}

func TestBetweenKeepsWhatIsAround(t *testing.T) {
	got, err := between([]byte("a\n"+markBegin+"old\n"+markEnd+"b\n"), "\nnew\n")
	if want := "a\n" + markBegin + "\nnew\n\n" + markEnd + "b\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, text := range []string{"", markBegin, markEnd + markBegin} {
		if _, err := between([]byte(text), "new"); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
