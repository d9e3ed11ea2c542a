package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// times is what the machine's processors have spent since it was started, in ticks (proc(5), the first line of /proc/stat).
type times struct{ idle, all int }

func processors() (t times, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return t, fmt.Errorf("/proc/stat begins with %q", line)
	}
	for i, field := range fields[1:9] { // user, nice, system, idle, iowait, irq, softirq, steal
		ticks, err := strconv.Atoi(field)
		if err != nil {
			return t, fmt.Errorf("/proc/stat: %w", err)
		}
		t.all += ticks
		if i == 3 || i == 4 {
			t.idle += ticks
		}
	}
	return t, nil
}

// busySince is a share in %.
func (t times) busySince(before times) float64 {
	return 100 * (1 - float64(t.idle-before.idle)/float64(max(1, t.all-before.all)))
}
