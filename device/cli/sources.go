package cli

import (
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/device/machine"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/device/source/host"
	"github.com/telepath-iot/telepath/device/source/sim"
	"github.com/telepath-iot/telepath/device/source/stdin"
	"github.com/telepath-iot/telepath/settings"
)

// parseSources makes sources of what --source says: a name, and options behind a comma.
func parseSources(texts []string, in io.Reader, log *slog.Logger) ([]source.Source, error) {
	var sources []source.Source
	used := map[string]bool{}
	for _, text := range texts {
		name, options, _ := strings.Cut(text, ",")
		if used[name] {
			return nil, settings.Usagef("--source %s is given twice: one is enough (sim takes streams=N)", name)
		}
		used[name] = true
		s, err := parseSource(name, options, in, log)
		if err != nil {
			return nil, settings.Usagef("--source %s: %w", text, err)
		}
		sources = append(sources, s)
	}
	return sources, nil
}

func parseSource(name, options string, in io.Reader, log *slog.Logger) (source.Source, error) {
	switch {
	case name == "sim":
		config, err := sim.Parse(options)
		return sim.New(config), err
	case name == "host" && strings.HasPrefix(options, "period="):
		period, err := hostPeriod(strings.TrimPrefix(options, "period="))
		return host.New(host.Config{Period: period, Log: log}), err
	case name != "host" && name != "stdin" && name != "machine":
		return nil, settings.Usagef("unknown source%s; there are host, stdin, sim and machine",
			settings.DidYouMean(name, map[string]bool{"host": true, "stdin": true, "sim": true, "machine": true}))
	case options != "":
		return nil, settings.Usagef("unknown option %q", options)
	case name == "host":
		return host.New(host.Config{Log: log}), nil
	case name == "machine":
		return machine.New(machine.Config{Log: log}), nil
	}
	return stdin.New(stdin.Config{In: in, Log: log}), nil
}

// withMachine lets operators steer a simulated machine that is among the sources: it is there for that. It needs no guard: with
// this program it ends, too.
func withMachine(c agent.Control, sources []source.Source) agent.Control {
	for _, s := range sources {
		m, ok := s.(*machine.Machine)
		if !ok {
			continue
		}
		if len(c.Actuators) == 0 {
			c.Simulated = true
			if c.Name == "" {
				c.Name = "cart-pole and rover"
			}
		}
		c.Actuators = append(c.Actuators, m)
	}
	return c
}

func hostPeriod(text string) (time.Duration, error) {
	const least = 100 * time.Millisecond // measuring takes milliseconds on a small board
	d, err := time.ParseDuration(text)
	if err != nil || d < least {
		return 0, settings.Usagef("period %q: want a duration of at least %v", text, least)
	}
	return d, nil
}
