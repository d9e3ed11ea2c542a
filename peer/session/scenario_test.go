package session

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

func TestInboxScenarios(t *testing.T) {
	playAll(t, "inbox", func() world { return newInboxWorld() })
}

func TestOutboxScenarios(t *testing.T) {
	playAll(t, "outbox", func() world { return newOutboxWorld() })
}

func TestClockScenarios(t *testing.T) {
	playAll(t, "clock", func() world { return &clockWorld{} })
}

// world is what a kind of scenario plays with.
type world interface {
	event(now time.Duration, verb string, a arguments) error
	// check returns what is the case, in the words of the check.
	check(now time.Duration, what string, want []string) (have []string, err error)
}

func playAll(t *testing.T, kind string, fresh func() world) {
	files, err := filepath.Glob("testdata/" + kind + "-*.scenario")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".scenario"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := fresh()
			for i, line := range strings.Split(string(text), "\n") {
				if err := playLine(w, line); err != nil {
					t.Errorf("%s:%d: %s\n\t%v", file, i+1, strings.TrimSpace(line), err)
				}
			}
		})
	}
}

func playLine(w world, line string) error {
	line, _, _ = strings.Cut(line, "#")
	event, checks, _ := strings.Cut(line, "=>")
	words := strings.Fields(event)
	if len(words) == 0 {
		return nil
	}
	now, err := parseTime(words[0])
	if err != nil {
		return err
	}
	if err := w.event(now, words[1], parseArguments(words[2:])); err != nil {
		return err
	}
	for _, check := range strings.Split(checks, ";") {
		words := strings.Fields(check)
		if len(words) == 0 {
			continue
		}
		have, err := w.check(now, words[0], words[1:])
		if err != nil {
			return err
		}
		if !slices.Equal(orDash(have), words[1:]) {
			return fmt.Errorf("%s: want %s, have %s", words[0], strings.Join(words[1:], " "), strings.Join(orDash(have), " "))
		}
	}
	return nil
}

func orDash(words []string) []string {
	if len(words) == 0 {
		return []string{"-"}
	}
	return words
}

// arguments are a verb's words and options.
type arguments struct {
	words   []string
	options map[string]string
}

func parseArguments(words []string) arguments {
	a := arguments{options: map[string]string{}}
	for _, word := range words {
		if name, value, ok := strings.Cut(word, "="); ok {
			a.options[name] = value
		} else {
			a.words = append(a.words, word)
		}
	}
	return a
}

func (a arguments) number(name string, def uint64) uint64 {
	n, err := strconv.ParseUint(a.options[name], 10, 64)
	if err != nil {
		return def
	}
	return n
}

func (a arguments) text(name, def string) string {
	if text, ok := a.options[name]; ok {
		return text
	}
	return def
}

func (a arguments) time(name string, def time.Duration) time.Duration {
	d, err := parseTime(a.options[name])
	if err != nil {
		return def
	}
	return d
}

// parseTime reads a number of ms or s, which may have a fraction.
func parseTime(text string) (time.Duration, error) {
	number, unit := strings.TrimSuffix(text, "ms"), time.Millisecond
	if number == text {
		number, unit = strings.TrimSuffix(text, "s"), time.Second
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || number == text {
		return 0, fmt.Errorf("%q is no time", text)
	}
	return time.Duration(math.Round(value * float64(unit))), nil
}

// formatTime writes d as want does, if that is the same time.
func formatTime(d time.Duration, want string) string {
	if w, err := parseTime(want); err == nil && w == d {
		return want
	}
	return d.String()
}

func parseBatch(text string) (seq uint64, count int, err error) {
	_, err = fmt.Sscanf(text, "%d+%d", &seq, &count)
	return seq, count, err
}

func parseRange(text string) (r wire.Range, err error) {
	from, to, ok := strings.Cut(text, "..")
	r.From, err = strconv.ParseUint(from, 10, 64)
	if ok && to != "" && err == nil {
		r.To, err = strconv.ParseUint(to, 10, 64)
	}
	return r, err
}

func formatRange(from, to uint64) string {
	if to == 0 {
		return fmt.Sprintf("%d..", from)
	}
	return fmt.Sprintf("%d..%d", from, to)
}
