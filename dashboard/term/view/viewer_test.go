package view

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestBeginsBehindPosition: where --from EPOCH:SEQ cannot be kept to, that is told, once.
func TestBeginsBehindPosition(t *testing.T) {
	for name, c := range map[string]struct {
		from   string
		stream signal.Stream
		says   string
	}{
		"kept to":                {"0000000a:7", signal.Stream{Class: "event", Start: "0000000a:7"}, ""},
		"overwritten":            {"0000000a:7", signal.Stream{Class: "event", Start: "0000000a:9"}, ""}, // a gap tells it
		"another run":            {"0000000a:7", signal.Stream{Class: "event", Start: "0000000b:0"}, ""}, // a gap tells it
		"beyond the newest":      {"0000000a:7", signal.Stream{Class: "event", Start: "0000000a:5"}, "never there"},
		"of a stream that lives": {"0000000a:7", signal.Stream{Class: "live"}, "class live"},
		"no position":            {"start", signal.Stream{Class: "live"}, ""},
	} {
		var log bytes.Buffer
		v := &Viewer{
			config: Config{View: peer.ViewConfig{From: c.from}, Log: slog.New(slog.NewTextHandler(&log, nil))},
			units:  map[uint32]string{}, unread: map[uint32]bool{},
		}
		toldByServer := c.stream
		toldByServer.Start = ""
		v.streams("", []signal.Stream{toldByServer})
		v.streams("", []signal.Stream{c.stream, c.stream})
		if text := log.String(); !strings.Contains(text, c.says) || strings.Count(text, "\n") != min(len(c.says), 1) {
			t.Errorf("%s: told %q", name, text)
		}
	}
}

// writes counts them.
type writes struct {
	text  strings.Builder
	count int
}

func (w *writes) Write(b []byte) (int, error) {
	w.count++
	return w.text.Write(b)
}

// TestThePastIsPrintedTogether: what is live is printed at once, behind what waits.
func TestThePastIsPrintedTogether(t *testing.T) {
	var out writes
	v, err := New(Config{View: peer.ViewConfig{Endpoint: peer.Endpoint{URL: "http://localhost"}, Device: "board"}, Format: JSON{}, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := telemetry.Append(nil, &telemetry.Batch{T: []int64{1}, Numbers: []float64{1}})
	if err != nil {
		t.Fatal(err)
	}
	stream := signal.Stream{Name: "a", Class: "live"}
	take := func(seq uint64, past bool) {
		v.received(peer.Received{Stream: &stream, Header: wire.Header{Seq: seq, Count: 1}, Payload: payload, Take: 1, Past: past})
	}
	for seq := range uint64(100) {
		take(seq+1, true)
	}
	before := out.count
	v.write()
	v.write()
	if after := out.count; before > 2 || after != before+1 {
		t.Errorf("100 samples of the past took %d writes, and the chunk's end %d", before, after-before)
	}
	take(101, true)
	take(102, false)
	if lines := strings.Count(out.text.String(), "\n"); lines != 102 {
		t.Errorf("%d lines, want 102", lines)
	}
}
