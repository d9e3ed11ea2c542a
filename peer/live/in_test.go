package live

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// testdata/README.md has the grammar of the scenarios.
func TestInScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/in-*.scenario")
	if err != nil || len(files) < 3 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".scenario"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := &inWorld{in: NewIn(), contents: map[uint64][]byte{}}
			for i, line := range strings.Split(string(text), "\n") {
				if err := w.line(line); err != nil {
					t.Errorf("%s:%d: %s\n\t%v", file, i+1, strings.TrimSpace(line), err)
				}
			}
		})
	}
}

// inWorld plays in-*.scenario.
type inWorld struct {
	in       *In
	contents map[uint64][]byte // of all packets, lost ones too
}

func (w *inWorld) line(line string) error {
	line, _, _ = strings.Cut(line, "#")
	event, checks, _ := strings.Cut(line, "=>")
	words := strings.Fields(event)
	if len(words) == 0 {
		return nil
	}
	ms, err := strconv.ParseFloat(strings.TrimSuffix(words[0], "ms"), 64)
	if err != nil {
		return err
	}
	now := time.Duration(math.Round(ms * float64(time.Millisecond)))
	have := map[string]string{"out": orDash(w.event(now, words[1], words[2:])), "receipt": "-", "wake": "-"}
	if r, due := w.in.Receipt(now); due {
		have["receipt"] = formatReceipt(r)
	}
	if at := w.in.Wake(); at != Never {
		have["wake"] = fmt.Sprint(at.Milliseconds())
	}
	for _, check := range strings.Split(checks, ";") {
		what, want, _ := strings.Cut(strings.TrimSpace(check), " ")
		if what != "" && have[what] != strings.TrimSpace(want) {
			return fmt.Errorf("%s: want %s, have %s", what, want, have[what])
		}
	}
	return nil
}

func orDash(words []string) string {
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, " ")
}

func formatReceipt(r wire.Receipt) string {
	text := fmt.Sprintf("%d %d", r.Newest, r.Held)
	for _, run := range r.Runs {
		text += fmt.Sprintf(" %d+%d", run.Came, run.Missed)
	}
	return text
}

func (w *inWorld) event(now time.Duration, verb string, args []string) (out []string) {
	number := uint64(0) // bare and step have none
	if len(args) > 0 {
		number, _ = strconv.ParseUint(args[0], 10, 64)
	}
	content := frames(option(args, "content", fmt.Sprintf("p%d", number)))
	w.contents[number] = content
	switch verb {
	case "bare":
		return w.receive(now, content)
	case "packet":
		s := wire.Serial{
			Number: number, Ask: slices.Contains(args, "ask"), Quick: slices.Contains(args, "quick"), Kept: slices.Contains(args, "kept"),
		}
		packet := wire.AppendFrame(nil, wire.TypeSerial, wire.Hop{}, wire.AppendSerial(nil, s))
		packet = append(packet, content...)
		for lags := range strings.FieldsFuncSeq(option(args, "parity", ""), func(r rune) bool { return r == '+' }) {
			packet = wire.AppendFrame(packet, wire.TypeParity, wire.Hop{}, wire.AppendParity(nil, w.parity(number, lags)))
		}
		return w.receive(now, packet)
	}
	return nil // lost, step
}

func option(args []string, name, otherwise string) string {
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, name+"="); ok {
			return value
		}
	}
	return otherwise
}

func frames(words string) (content []byte) {
	for _, word := range strings.Split(words, ",") {
		if word != "-" {
			content = wire.AppendFrame(content, wire.TypeData, wire.Hop{}, []byte(word))
		}
	}
	return content
}

func (w *inWorld) parity(number uint64, lags string) (p wire.Parity) {
	for _, text := range strings.Split(lags, ",") {
		lag, _ := strconv.ParseUint(text, 10, 64)
		content := []byte{}
		if lag < number {
			content = w.contents[number-lag]
		}
		p.Lags, p.Length = append(p.Lags, lag), p.Length^uint16(len(content))
		p.Bytes = append(p.Bytes, make([]byte, max(0, len(content)-len(p.Bytes)))...)
		xor(p.Bytes, content)
	}
	return p
}

func (w *inWorld) receive(now time.Duration, packet []byte) (out []string) {
	for _, content := range w.in.Receive(now, packet, nil) {
		for len(content) > 0 {
			f, rest, err := wire.NextFrame(content)
			if err != nil {
				return append(out, err.Error())
			}
			out, content = append(out, string(f.Body)), rest
		}
	}
	return out
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{5, 7, 0, 1, 4}, []byte{5, 7, 0, 2, 4, 8, 9, 0, 1, 1, 0, 3, 1, 2})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		in := NewIn()
		for i, packet := range [][]byte{a, b, a} {
			now := time.Duration(i) * time.Second
			for _, content := range in.Receive(now, packet, nil) {
				if len(content) > max(len(a), len(b)) {
					t.Fatalf("made %d bytes of %d", len(content), max(len(a), len(b)))
				}
			}
			if r, due := in.Receipt(now); due {
				if _, err := wire.ParseReceipt(wire.AppendReceipt(nil, r)); err != nil {
					t.Fatalf("%+v: %v", r, err)
				}
			}
		}
	})
}
