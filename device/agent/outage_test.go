package agent

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestOutageIsToldOnceForEachReason(t *testing.T) {
	var text strings.Builder
	o := outage{log: slog.New(slog.NewTextHandler(&text, nil))}
	for range 3 {
		o.set(false, errors.New("read tcp 127.0.0.1:40001: refused"))
		o.set(false, errors.New("read tcp 127.0.0.1:40002: refused"))
	}
	o.set(false, errors.New("no such host"))
	o.set(true, nil)
	o.set(false, errors.New("no such host"))
	if n := strings.Count(text.String(), "trying again"); n != 3 {
		t.Errorf("told %d times, want 3:\n%s", n, &text)
	}
}
