package wire

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The golden vectors, which the TypeScript twin runs, too. The bytes are
// written by hand in cases_test.go; -update decodes them into the file, and
// a change of what they decode to shows in its diff.
var update = flag.Bool("update", false, "write testdata/vectors.json")

const vectorsFile = "testdata/vectors.json"

// golden is the file.
type golden struct {
	Types      map[string]Type      `json:"types"`
	Classes    []string             `json:"classes"` // by number
	GapReasons map[string]GapReason `json:"gapReasons"`
	Codes      []goldenCode         `json:"codes"`
	Names      []goldenName         `json:"names"`
	Vectors    []vector             `json:"vectors"`
}

type goldenCode struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
	Retry  Retry  `json:"retry"`
	HTTP   int    `json:"http"` // 0: never before an upgrade
	Close  int    `json:"close"`
}

type goldenName struct {
	Name  string `json:"name"`
	Limit int    `json:"limit"`
	OK    bool   `json:"ok"`
}

// vector is one case. Kind names the parser: uvarint, svarint, packet, data,
// ack, gap, serial, receipt, parity, tick, drive take the bytes; probe and echo take a whole frame.
type vector struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Hex   string `json:"hex"`
	Value any    `json:"value,omitempty"` // what it decodes to; of a packet also with an error: the frames before it
	Error string `json:"error,omitempty"` // short, range or version
	// Canonical: encoding the value yields these bytes.
	Canonical bool `json:"canonical,omitempty"`
}

// The values as JSON shows them.
type (
	frameValue struct {
		Type Type     `json:"type"`
		Hop  hopValue `json:"hop"`
		Body string   `json:"body"`
	}
	hopValue struct {
		Conn     uint64   `json:"conn"`
		Retained bool     `json:"retained"`
		Held     uint64   `json:"held"`
		Priority Priority `json:"priority"`
		Store    bool     `json:"store"`
	}
	dataValue struct {
		Class    string `json:"class"`
		Stream   uint32 `json:"stream"`
		Epoch    uint32 `json:"epoch"`
		Seq      uint64 `json:"seq"`
		Count    int    `json:"count"`
		Deadline uint64 `json:"deadline"`
		Key      uint64 `json:"key"`
		Will     bool   `json:"will"`
		Payload  string `json:"payload"`
	}
	ackValue struct {
		Level     uint8           `json:"level"`
		Positions []positionValue `json:"positions"`
	}
	positionValue struct {
		Stream   uint32      `json:"stream"`
		Epoch    uint32      `json:"epoch"`
		Seq      uint64      `json:"seq"`
		Received [][2]uint64 `json:"received"`
	}
	gapValue struct {
		Stream uint32    `json:"stream"`
		Epoch  uint32    `json:"epoch"`
		From   uint64    `json:"from"`
		To     uint64    `json:"to"`
		Reason GapReason `json:"reason"`
	}
	serialValue struct {
		Number uint64 `json:"number"`
		Ask    bool   `json:"ask"`
		Quick  bool   `json:"quick"`
		Kept   bool   `json:"kept"`
	}
	receiptValue struct {
		Newest uint64      `json:"newest"`
		Held   uint64      `json:"held"`
		Runs   [][2]uint64 `json:"runs"`
	}
	parityValue struct {
		Lags   []uint64 `json:"lags"`
		Length uint16   `json:"length"`
		Bytes  string   `json:"bytes"`
	}
	tickValue struct {
		Epoch uint32 `json:"epoch"`
		At    uint64 `json:"at"`
	}
	driveValue struct {
		Fence     uint64        `json:"fence"`
		Seq       uint64        `json:"seq"`
		Hand      uint64        `json:"hand"`
		Tick      tickValue     `json:"tick"`
		Setpoints []targetValue `json:"setpoints"`
	}
	targetValue struct {
		Axis  uint64  `json:"axis"`
		Value float64 `json:"value"`
	}
	probeValue struct {
		Hop   hopValue `json:"hop"`
		ID    uint64   `json:"id"`
		Heard bool     `json:"heard"`
		Full  bool     `json:"full"`
		T1    uint64   `json:"t1"`
		T2    uint64   `json:"t2,omitempty"` // of an echo, with t3
		T3    uint64   `json:"t3,omitempty"`
	}
)

func TestVectors(t *testing.T) {
	want := makeGolden(t)
	data := want.lines(t)
	if *update {
		if err := os.WriteFile(vectorsFile, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != string(data) {
		t.Errorf("%s is not what these bytes decode to: run go test ./peer/wire -update and look at the difference", vectorsFile)
	}
}

// lines is the file's text: an entry a line, so that a difference reads well.
func (g golden) lines(t *testing.T) []byte {
	b := []byte("{\n")
	add := func(key, after string, value any) {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		b = fmt.Appendf(b, "%s%s%s\n", key, text, after)
	}
	add(`"types": `, ",", g.Types)
	add(`"classes": `, ",", g.Classes)
	add(`"gapReasons": `, ",", g.GapReasons)
	comma := func(i, n int) string { return strings.Repeat(",", min(1, n-1-i)) }
	b = append(b, "\"codes\": [\n"...)
	for i, c := range g.Codes {
		add("  ", comma(i, len(g.Codes)), c)
	}
	b = append(b, "],\n\"names\": [\n"...)
	for i, n := range g.Names {
		add("  ", comma(i, len(g.Names)), n)
	}
	b = append(b, "],\n\"vectors\": [\n"...)
	for i, v := range g.Vectors {
		add("  ", comma(i, len(g.Vectors)), v)
	}
	return append(b, "]\n}\n"...)
}

// makeGolden decodes all cases and checks what their authors say of them.
func makeGolden(t *testing.T) golden {
	g := golden{
		Types: map[string]Type{
			"data": TypeData, "ack": TypeAck, "gap": TypeGap, "probe": TypeProbe, "echo": TypeEcho, "signal": TypeSignal,
			"serial": TypeSerial, "receipt": TypeReceipt, "parity": TypeParity,
			"tick": TypeTick, "drive": TypeDrive, "command": TypeCommand, "outcome": TypeOutcome,
		},
		Classes: classNames[:], GapReasons: map[string]GapReason{},
	}
	for reason, name := range gapNames {
		g.GapReasons[name] = reason
	}
	for _, c := range Codes {
		g.Codes = append(g.Codes, goldenCode{c.Number, c.Name, c.Retry, c.HTTP, c.CloseCode()})
	}
	for _, n := range nameCases {
		if ok := CheckName(n.Name, n.Limit) == nil; ok != n.OK {
			t.Errorf("name %q: ok %v", n.Name, ok)
		}
		g.Names = append(g.Names, n)
	}
	for _, c := range cases {
		t.Run(c.kind+" "+c.name, func(t *testing.T) { g.Vectors = append(g.Vectors, decodeCase(t, c)) })
	}
	return g
}

func decodeCase(t *testing.T, c vectorCase) vector {
	b := unhex(t, c.hex)
	v := vector{Name: c.name, Kind: c.kind, Hex: hex.EncodeToString(b)}
	value, again, err := parsers[c.kind](b)
	if want := map[string]error{"": nil, "short": ErrShort, "range": ErrRange, "version": ErrVersion}[c.err]; !errors.Is(err, want) {
		t.Fatalf("error %v, want %q", err, c.err)
	}
	if v.Error = c.err; err == nil || c.kind == "packet" {
		v.Value = value
	}
	if c.value != nil && !reflect.DeepEqual(value, c.value) {
		t.Errorf("decoded\n\t%+v, want\n\t%+v", value, c.value)
	}
	v.Canonical = err == nil && string(again) == string(b)
	if v.Canonical == c.loose && err == nil {
		t.Errorf("encodes to %x", again)
	}
	return v
}

// parsers decode, and encode again what they found.
var parsers = map[string]func(b []byte) (value any, again []byte, err error){
	"uvarint": func(b []byte) (any, []byte, error) {
		v, _, err := Uvarint(b)
		return v, AppendUvarint(nil, v), err
	},
	"svarint": func(b []byte) (any, []byte, error) {
		v, _, err := Svarint(b)
		return v, AppendSvarint(nil, v), err
	},
	"packet": parsePacket,
	"data": func(b []byte) (any, []byte, error) {
		h, payload, err := ParseData(b)
		return dataValue{
			h.Class.String(), h.Stream, h.Epoch, h.Seq, h.Count, h.Deadline, h.Key, h.Will, hex.EncodeToString(payload),
		}, append(AppendHeader(nil, h), payload...), err
	},
	"ack": func(b []byte) (any, []byte, error) {
		level, positions, err := ParseAck(b)
		return ackOf(level, positions), AppendAck(nil, level, positions), err
	},
	"gap": func(b []byte) (any, []byte, error) {
		g, err := ParseGap(b)
		return gapValue(g), AppendGap(nil, g), err
	},
	"serial": func(b []byte) (any, []byte, error) {
		s, err := ParseSerial(b)
		return serialValue(s), AppendSerial(nil, s), err
	},
	"receipt": func(b []byte) (any, []byte, error) {
		r, err := ParseReceipt(b)
		runs := [][2]uint64{}
		for _, run := range r.Runs {
			runs = append(runs, [2]uint64{run.Came, run.Missed})
		}
		return receiptValue{r.Newest, r.Held, runs}, AppendReceipt(nil, r), err
	},
	"parity": func(b []byte) (any, []byte, error) {
		p, err := ParseParity(b)
		return parityValue{append([]uint64{}, p.Lags...), p.Length, hex.EncodeToString(p.Bytes)}, AppendParity(nil, p), err
	},
	"tick": func(b []byte) (any, []byte, error) {
		tick, err := ParseTick(b)
		return tickValue(tick), AppendTick(nil, tick), err
	},
	"drive": func(b []byte) (any, []byte, error) {
		var d Drive
		err := ParseDrive(&d, b)
		targets := []targetValue{}
		for _, s := range d.Setpoints {
			targets = append(targets, targetValue(s))
		}
		return driveValue{d.Fence, d.Seq, d.Hand, tickValue(d.Tick), targets}, AppendDrive(nil, &d), err
	},
	"probe": func(b []byte) (any, []byte, error) {
		f, _, err := NextFrame(b)
		if err != nil {
			return nil, nil, err
		}
		p, err := ParseProbe(f.Body)
		return probeValue{Hop: hopValue(f.Hop), ID: p.ID, Heard: p.Heard, Full: p.Full, T1: p.T1}, AppendProbe(nil, f.Hop, p), err
	},
	"echo": func(b []byte) (any, []byte, error) {
		f, _, err := NextFrame(b)
		if err != nil {
			return nil, nil, err
		}
		e, err := ParseEcho(f.Body)
		return probeValue{hopValue(f.Hop), e.ID, e.Heard, e.Full, e.T1, e.T2, e.T3}, AppendEcho(nil, f.Hop, e), err
	},
}

func parsePacket(b []byte) (any, []byte, error) {
	frames, again, first := []frameValue{}, []byte(nil), error(nil)
	for f, err := range Frames(b) {
		if err != nil {
			first = cmp.Or(first, err)
			continue
		}
		frames = append(frames, frameValue{f.Type, hopValue(f.Hop), hex.EncodeToString(f.Body)})
		again = AppendFrame(again, f.Type, f.Hop, f.Body)
	}
	return frames, again, first
}

func ackOf(level uint8, positions []Position) ackValue {
	a := ackValue{level, []positionValue{}}
	for _, p := range positions {
		v := positionValue{p.Stream, p.Epoch, p.Seq, [][2]uint64{}}
		for _, r := range p.Received {
			v.Received = append(v.Received, [2]uint64{r.From, r.To})
		}
		a.Positions = append(a.Positions, v)
	}
	return a
}

// unhex reads hex with spaces; "xx*N" repeats a byte.
func unhex(t testing.TB, text string) (b []byte) {
	for _, word := range strings.Fields(text) {
		times := 1
		word, n, repeated := strings.Cut(word, "*")
		if repeated {
			if _, err := fmt.Sscan(n, &times); err != nil {
				t.Fatal(err)
			}
		}
		part, err := hex.DecodeString(word)
		if err != nil {
			t.Fatal(err)
		}
		for range times {
			b = append(b, part...)
		}
	}
	return b
}
