package ladder

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
)

// TestScenarios plays testdata/*.scenario; testdata/README.md has the grammar.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.scenario")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".scenario"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			play(t, file, string(text))
		})
	}
}

func play(t *testing.T, file, text string) {
	p := &player{ladder: New(Config{}), answering: map[int]time.Duration{}, last: Decision{Wake: Never}}
	for i, line := range strings.Split(text, "\n") {
		if hash := strings.IndexByte(line, '#'); hash >= 0 {
			line = line[:hash]
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := p.line(line); err != nil {
			t.Errorf("%s:%d: %s\n\t%v", file, i+1, strings.TrimSpace(line), err)
		}
	}
}

// player is a ladder in a simulated world.
type player struct {
	ladder    *Ladder
	names     []string // by id - 1
	answering map[int]time.Duration
	answers   []answer // under way, by time
	last      Decision
}

type answer struct {
	at  time.Duration
	id  int
	rtt time.Duration
}

func (p *player) line(line string) error {
	event, checks, _ := strings.Cut(line, "=>")
	words := strings.Fields(event)
	now, err := parseTime(words[0])
	if err != nil {
		return err
	}
	p.advance(now)
	if err := p.event(now, words[1], words[2:]); err != nil {
		return err
	}
	p.step(now)
	for _, check := range strings.Split(checks, ";") {
		if words := strings.Fields(check); len(words) > 0 {
			if err := p.check(now, words[0], words[1:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// advance lets everything happen that is due before now, and the answers due now.
func (p *player) advance(now time.Duration) {
	for {
		switch {
		case len(p.answers) > 0 && p.answers[0].at <= min(now, p.last.Wake):
			a := p.answers[0]
			p.answers = p.answers[1:]
			p.ladder.Proved(a.at, a.id, a.rtt)
			p.step(a.at)
		case p.last.Wake < now:
			p.step(p.last.Wake)
		default:
			return
		}
	}
}

func (p *player) step(now time.Duration) {
	p.last = p.ladder.Step(now)
	for _, id := range p.last.Probe {
		p.ladder.Probed(now, id)
		rtt, ok := p.answering[id]
		if !ok {
			continue
		}
		at := slices.IndexFunc(p.answers, func(a answer) bool { return a.at > now+rtt })
		if at < 0 {
			at = len(p.answers)
		}
		p.answers = slices.Insert(p.answers, at, answer{now + rtt, id, rtt})
	}
}

func (p *player) event(now time.Duration, verb string, args []string) error {
	if verb == "step" {
		return nil
	}
	if verb == "watch" {
		p.ladder.Watch(now, args[0] == "on")
		return nil
	}
	if verb == "rest" {
		p.ladder.Rest(args[0] == "on")
		return nil
	}
	id, options := p.id(args[0]), options(args[1:])
	rtt := time.Duration(0)
	if text, ok := options["rtt"]; ok {
		var err error
		if rtt, err = parseTime(text); err != nil {
			return err
		}
	}
	switch verb {
	case "up":
		rung, ok := ParseRung(options["rung"])
		if !ok {
			return fmt.Errorf("no rung %q", options["rung"])
		}
		p.ladder.Up(now, id, rung)
	case "rerung":
		rung, ok := ParseRung(options["rung"])
		if !ok {
			return fmt.Errorf("no rung %q", options["rung"])
		}
		p.ladder.Rerung(id, rung)
	case "down":
		delete(p.answering, id)
		p.ladder.Down(now, id)
	case "heard":
		p.ladder.Heard(now, id)
	case "proved":
		p.ladder.Proved(now, id, rtt)
	case "doubt":
		p.ladder.Heard(now, id)
		p.ladder.Doubt(now, id)
	case "answer":
		p.answering[id] = rtt
	case "mute":
		delete(p.answering, id)
	default:
		return fmt.Errorf("no verb %q", verb)
	}
	return nil
}

func (p *player) check(now time.Duration, what string, want []string) error {
	switch what {
	case "use":
		return same(what, p.named(p.last.Use), want)
	case "pair":
		return same(what, p.named(p.last.Pair), want)
	case "probe":
		return sameSet(what, p.named(p.last.Probe), want)
	case "replace":
		return sameSet(what, p.named(p.last.Replace), want)
	case "reason":
		return same(what, []string{strconv.Quote(p.last.Reason)}, []string{strings.Join(want, " ")})
	case "wake":
		got := "never"
		if p.last.Wake != Never {
			got = p.last.Wake.String()
			if at, err := parseTime(want[0]); err == nil && at == p.last.Wake {
				got = want[0]
			}
		}
		return same(what, []string{got}, want)
	case "state":
		return p.checkState(now, p.id(want[0]), want[1:])
	}
	return fmt.Errorf("no check %q", what)
}

func (p *player) checkState(now time.Duration, id int, want []string) error {
	s := p.ladder.State(id)
	for _, word := range want {
		name, value, _ := strings.Cut(word, "=")
		ok := false
		switch name {
		case "usable":
			ok = s.Usable
		case "unusable":
			ok = !s.Usable
		case "late":
			ok = s.Late
		case "early":
			ok = !s.Late
		case "doubt":
			ok = s.InDoubt
		case "sound":
			ok = !s.InDoubt
		case "rtt":
			ok = near(s.RTT, value)
		case "var":
			ok = near(s.Var, value)
		case "heard":
			ok = p.ladder.HeardRecently(now, id) == (value == "yes")
		}
		if !ok {
			return fmt.Errorf("state: want %s, have %+v", word, s)
		}
	}
	return nil
}

func near(got time.Duration, text string) bool {
	want, err := parseTime(text)
	return err == nil && (got-want).Abs() <= 10*time.Microsecond
}

func (p *player) id(name string) int {
	if i := slices.Index(p.names, name); i >= 0 {
		return i + 1
	}
	p.names = append(p.names, name)
	return len(p.names)
}

func (p *player) named(ids []int) (names []string) {
	for _, id := range ids {
		names = append(names, p.names[id-1])
	}
	return names
}

func same(what string, got, want []string) error {
	if len(got) == 0 {
		got = []string{"-"}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("%s: want %s, have %s", what, strings.Join(want, " "), strings.Join(got, " "))
	}
	return nil
}

func sameSet(what string, got, want []string) error {
	return same(what, slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
}

func options(words []string) map[string]string {
	m := map[string]string{}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		m[name] = value
	}
	return m
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
