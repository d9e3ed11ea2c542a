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

// TestEchoesAreNoAmplifier: who sends little gets little, whatever his flags say.
func TestEchoesAreNoAmplifier(t *testing.T) {
	probe := Probe{ID: 1, Heard: true, Full: true, T1: 5}
	short := []byte{1, probe.flags(), 5}
	for _, c := range []struct {
		name string
		body []byte
		full bool
	}{
		{"short", short, false},
		{"full", bodyOf(t, AppendProbe(nil, Hop{}, probe)), true},
		{"full, with the longest conn number", bodyOf(t, AppendProbe(nil, Hop{Conn: MaxInt}, probe)), true},
		{"nearly full", append(short, make([]byte, FullProbe-2*fullHeadroom)...), false},
	} {
		e, err := AnswerProbe(c.body)
		if err != nil {
			t.Fatal(err)
		}
		n := len(AppendEcho(nil, Hop{}, e))
		if e.ID != 1 || e.T1 != 5 || e.Full != c.full || (n == FullProbe) != c.full {
			t.Errorf("a %s probe of %d bytes is echoed with %d, as %+v", c.name, len(c.body), n, e)
		}
	}
	if _, err := AnswerProbe([]byte{1}); err != ErrShort {
		t.Errorf("a broken probe: %v", err)
	}
}

func bodyOf(t *testing.T, frame []byte) []byte {
	t.Helper()
	f, _, err := NextFrame(frame)
	if err != nil {
		t.Fatal(err)
	}
	return f.Body
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
