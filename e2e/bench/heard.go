package main

import (
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
)

// heard gathers the samples that a bare receiver's lines tell.
type heard struct {
	mu  sync.Mutex
	got []arrival // guarded by mu
}

var heardLine = regexp.MustCompile(`"seq":(\d+),"t":(\d+)`)

func (h *heard) line(line program.Line) {
	found := heardLine.FindStringSubmatch(line.Text)
	if found == nil {
		return
	}
	seq, _ := strconv.ParseUint(found[1], 10, 64) // digits, by the pattern
	made, _ := strconv.ParseInt(found[2], 10, 64)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, arrival{seq: seq, made: time.UnixMicro(made), at: line.At})
}

func (h *heard) arrivals() ([]arrival, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got), nil
}
