package wire

import (
	"strings"
	"testing"
)

func TestFullProbesHaveOneLength(t *testing.T) {
	for _, hop := range []Hop{
		{},
		{Conn: 1},
		{Conn: 127, Priority: Urgent},
		{Conn: 128},
		{Conn: MaxInt},
		{Conn: MaxInt, Retained: true, Held: MaxInt},
	} {
		for _, n := range []uint64{0, 1, 127, 128, 1 << 20, MaxInt} {
			p := Probe{ID: n, Full: true, T1: n}
			if got := len(AppendProbe(nil, hop, p)); got != FullProbe {
				t.Errorf("probe %d over %+v has %d bytes", n, hop, got)
			}
			if got := len(AppendEcho(nil, hop, Echo{Probe: p, T2: n, T3: n})); got != FullProbe {
				t.Errorf("echo %d over %+v has %d bytes", n, hop, got)
			}
		}
	}
}

func TestAppendAckLeavesOutWhatIsTooMuch(t *testing.T) {
	many := make([]Position, MaxAckEntries+1)
	for i := range many {
		many[i] = Position{Stream: uint32(i + 1), Epoch: 1}
	}
	for i := range uint64(MaxAckRanges + 1) {
		many[0].Received = append(many[0].Received, Range{2*i + 2, 2*i + 2})
	}
	_, got, err := ParseAck(AppendAck(nil, LevelReceived, many))
	if err != nil || len(got) != MaxAckEntries || len(got[0].Received) != MaxAckRanges {
		t.Errorf("%d positions, %v", len(got), err)
	}
}

func TestAppendDoesNotTouchWhatIsThere(t *testing.T) {
	b := []byte("there")
	for name, appended := range map[string][]byte{
		"frame":  AppendFrame(b, TypeData, Hop{Conn: 3}, []byte("body")),
		"header": AppendHeader(b, Header{Class: Live, Stream: 1, Epoch: 1, Seq: 1, Count: 1}),
		"ack":    AppendAck(b, 0, nil),
		"gap":    AppendGap(b, Gap{}),
		"probe":  AppendProbe(b, Hop{}, Probe{Full: true}),
		"echo":   AppendEcho(b, Hop{}, Echo{}),
	} {
		if !strings.HasPrefix(string(appended), "there") {
			t.Errorf("%s: %q", name, appended)
		}
	}
}

func TestNamesOfNumbers(t *testing.T) {
	for c := range classes {
		if back, ok := ParseClass(c.String()); !ok || back != c {
			t.Errorf("ParseClass(%q) = %v, %v", c, back, ok)
		}
	}
	if _, ok := ParseClass("unknown"); ok || classes.String() != "unknown" {
		t.Error("an unknown class has a name")
	}
	if GapReason(99).String() != "unknown" {
		t.Error("an unknown reason has a name")
	}
}

func TestCodes(t *testing.T) {
	for i, c := range Codes {
		if c.Number != i || CodeByName(c.Name) != c {
			t.Errorf("code %d: %+v", i, c)
		}
		if back, ok := CodeByClose(c.CloseCode()); !ok || back != c {
			t.Errorf("CodeByClose(%d) = %+v, %v", c.CloseCode(), back, ok)
		}
	}
	if CodeByName("something new").Name != "internal" {
		t.Error("an unknown code is not internal")
	}
	for _, status := range []int{1000, 1006, 3999, 4000 + len(Codes)} {
		if c, ok := CodeByClose(status); ok {
			t.Errorf("CodeByClose(%d) = %+v", status, c)
		}
	}
}

func TestParsersDoNotAllocate(t *testing.T) {
	packet := AppendFrame(nil, TypeData, Hop{Conn: 7}, AppendHeader(nil, Header{
		Class: Live, Stream: 1, Epoch: 1, Seq: 1, Count: 1, Deadline: 100,
	}))
	allocated := testing.AllocsPerRun(100, func() {
		for f, err := range Frames(packet) {
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := ParseData(f.Body); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations a frame, want 0", allocated)
	}
}
