package view

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
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
