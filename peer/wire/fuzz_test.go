package wire

import (
	"bytes"
	"reflect"
	"testing"
)

// Every parser takes any bytes without panic, and what it accepts it accepts
// again, with the same meaning, when it was encoded anew.

// seed adds the golden vectors of a kind.
func seed(f *testing.F, kinds ...string) {
	for _, c := range cases {
		for _, kind := range kinds {
			if c.kind == kind {
				f.Add(unhex(f, c.hex))
			}
		}
	}
}

// checkAgain says that a value, encoded, decodes to itself.
func checkAgain(t *testing.T, kind string, b []byte) {
	value, again, err := parsers[kind](b)
	if err != nil {
		return
	}
	value2, again2, err := parsers[kind](again)
	if err != nil {
		t.Fatalf("%x encoded as %x: %v", b, again, err)
	}
	if !reflect.DeepEqual(value, value2) || !bytes.Equal(again, again2) {
		t.Fatalf("%x is %+v; encoded as %x: %+v", b, value, again, value2)
	}
}

func FuzzUvarint(f *testing.F) {
	seed(f, "uvarint", "svarint")
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, rest, err := Uvarint(b); err == nil && (v > MaxInt || len(rest) >= len(b)) {
			t.Fatalf("%x: %d, %d bytes left", b, v, len(rest))
		}
		checkAgain(t, "uvarint", b)
		checkAgain(t, "svarint", b)
	})
}

func FuzzPacket(f *testing.F) {
	seed(f, "packet", "probe", "echo")
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			frame, next, err := NextFrame(rest)
			if next == nil {
				break
			}
			if len(next) >= len(rest) || len(frame.Body) > len(rest) {
				t.Fatalf("%x: stands still", rest)
			}
			size := FrameSize(frame.Hop, len(frame.Body))
			if got := len(AppendFrame(nil, frame.Type, frame.Hop, frame.Body)); err == nil && got != size {
				t.Fatalf("FrameSize %d, appended %d", size, got)
			}
			rest = next
		}
		checkAgain(t, "packet", b)
	})
}

func FuzzData(f *testing.F) {
	seed(f, "data")
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, _, err := ParseData(b); err == nil && (h.Last() > MaxInt || h.Last() < h.Seq || h.Class >= classes) {
			t.Fatalf("accepted %+v", h)
		}
		checkAgain(t, "data", b)
	})
}

func FuzzAck(f *testing.F) {
	seed(f, "ack")
	f.Fuzz(func(t *testing.T, b []byte) {
		_, positions, err := ParseAck(b)
		if err != nil && positions != nil {
			t.Fatalf("%v, and positions", err)
		}
		for _, p := range positions {
			end := p.Seq
			for _, r := range p.Received {
				if r.From <= end+1 || r.To < r.From || r.To > MaxInt {
					t.Fatalf("ranges %v behind %d", p.Received, p.Seq)
				}
				end = r.To
			}
		}
		checkAgain(t, "ack", b)
	})
}

func FuzzGap(f *testing.F) {
	seed(f, "gap")
	f.Fuzz(func(t *testing.T, b []byte) { checkAgain(t, "gap", b) })
}

func FuzzSerial(f *testing.F) {
	seed(f, "serial")
	f.Fuzz(func(t *testing.T, b []byte) { checkAgain(t, "serial", b) })
}

func FuzzReceipt(f *testing.F) {
	seed(f, "receipt")
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReceipt(b)
		sum := uint64(0)
		for _, run := range r.Runs {
			sum += run.Came + run.Missed
		}
		if err == nil && (sum > MaxReceipt || sum > r.Newest) {
			t.Fatalf("accepted %+v", r)
		}
		checkAgain(t, "receipt", b)
	})
}

func FuzzParity(f *testing.F) {
	seed(f, "parity")
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParseParity(b); err == nil && (len(p.Lags) > MaxLags || len(p.Bytes) > len(b)) {
			t.Fatalf("accepted %+v", p)
		}
		checkAgain(t, "parity", b)
	})
}

func FuzzProbe(f *testing.F) {
	seed(f, "probe")
	f.Fuzz(func(t *testing.T, b []byte) { checkAgain(t, "probe", b) })
}

func FuzzEcho(f *testing.F) {
	seed(f, "echo")
	f.Fuzz(func(t *testing.T, b []byte) { checkAgain(t, "echo", b) })
}

func FuzzTick(f *testing.F) {
	seed(f, "tick")
	f.Fuzz(func(t *testing.T, b []byte) { checkAgain(t, "tick", b) })
}

func FuzzDrive(f *testing.F) {
	seed(f, "drive")
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Drive
		if err := ParseDrive(&d, b); err == nil && (len(d.Setpoints) > MaxAxes || len(AppendDrive(nil, &d)) > MaxDrive) {
			t.Fatalf("accepted %+v", d)
		}
		checkAgain(t, "drive", b)
	})
}
