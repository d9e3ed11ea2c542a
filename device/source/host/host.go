// Package host is the source that measures the machine it runs on: processor,
// memory, disks, network, temperatures. Everything is read from the system;
// what a machine does not have, or does not let us read, is left out and said
// once in the log, never invented.
package host

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Config is the source's configuration. The zero value works.
type Config struct {
	Period time.Duration // between measurements; default 1 s
	Log    *slog.Logger  // default slog.Default()
}

// Source measures the machine.
type Source struct {
	period     time.Duration
	log        *slog.Logger
	collectors []collector
	silent     map[string]bool // what was said to be left out
	writers    map[string]source.Writer
}

// maxStreams bounds what is ever measured: names of interfaces and disks may come and go, a stream is for good, and a device has
// room for wire.MaxStreams, of which others need some.
const maxStreams = wire.MaxStreams / 2

// collector measures one part of the machine.
type collector struct {
	what    string // for people, in the sentence "… cannot be measured"
	collect func(now time.Time) ([]measurement, error)
}

// measurement is one value of a collector. Its stream is declared when it comes up for the first time.
type measurement struct {
	name, label, group, unit string
	low, high                float64 // nominal range; high 0: not known
	value                    float64
}

// New makes a source.
func New(config Config) *Source {
	if config.Period <= 0 {
		config.Period = time.Second
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	return &Source{
		period: config.Period, log: config.Log, collectors: collectors(),
		silent: map[string]bool{}, writers: map[string]source.Writer{},
	}
}

func collectors() []collector {
	var (
		cpu     processor
		disks   diskTraffic
		network networkTraffic
	)
	return []collector{
		{"the processor", cpu.collect},
		{"the load", collectLoad},
		{"the memory", collectMemory},
		{"the disk space", collectDiskSpace},
		{"the disk traffic", disks.collect},
		{"the network traffic", network.collect},
		{"temperature", collectTemperatures},
		{"the uptime", collectUptime},
		{"the number of processes", collectProcesses},
	}
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, sink source.Sink) error {
	if !s.warmUp(ctx) {
		return nil
	}
	ticker := time.NewTicker(s.period)
	defer ticker.Stop()
	for {
		for _, c := range s.collectors {
			if err := s.measure(c, sink); err != nil {
				return fmt.Errorf("source host: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// warmUpTime is how long the first rates are measured.
const warmUpTime = 200 * time.Millisecond

// warmUp reads everything once for nothing: rates need two readings. So all
// streams are declared in the first round, in the collectors' order, which is
// the order that people see them in. False: ctx ended.
func (s *Source) warmUp(ctx context.Context) bool {
	now := time.Now()
	for _, c := range s.collectors {
		_, _ = c.collect(now) // what fails fails again, and is said then
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(min(warmUpTime, s.period)):
		return true
	}
}

// measure runs one collector. Its failure is its own; only the sink's ends the source.
func (s *Source) measure(c collector, sink source.Sink) error {
	now := time.Now()
	measured, err := c.collect(now)
	if err != nil && s.first(c.what) {
		s.log.Info(c.what+" cannot be measured on this machine, left out", "error", err)
	}
	for _, m := range measured {
		if err := s.put(sink, now, m); err != nil {
			return err
		}
	}
	return nil
}

// first says whether something is to be said that was not yet.
func (s *Source) first(what string) bool {
	said := s.silent[what]
	s.silent[what] = true
	return !said
}

func (s *Source) put(sink source.Sink, now time.Time, m measurement) error {
	w, known := s.writers[m.name]
	if !known {
		if len(s.writers) == maxStreams {
			if s.first("more") {
				s.log.Warn("what else comes to be measured is left out: there is too much already", "name", m.name, "streams", maxStreams)
			}
			return nil
		}
		w = s.declare(sink, m)
		s.writers[m.name] = w
	}
	if w == nil {
		return nil
	}
	return w.Put(source.Stamp(now), telemetry.NumberValue(m.value))
}

// declare opens the stream of a measurement. One that is refused is left out,
// for good: its name is no name, but one that a sensor's driver has made up, or
// others have taken all streams. That ends neither the source nor the device.
func (s *Source) declare(sink source.Sink, m measurement) source.Writer {
	meta := telemetry.Meta{
		Kind: telemetry.Number, Unit: m.unit, Label: m.label, Group: m.group, Source: "host",
		PeriodMS: float64(s.period) / float64(time.Millisecond),
	}
	if m.high > m.low {
		meta.Min, meta.Max = &m.low, &m.high
	}
	stream := source.Stream{Name: m.name, Class: wire.Live, Deadline: s.period, Meta: meta}
	w, err := sink.Declare(stream)
	if err != nil {
		s.log.Warn("a measurement is left out", "name", m.name, "error", err)
		return nil
	}
	return w
}

// round cuts a value to so many decimals: more would be noise that takes bytes.
func round(x float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(x*scale) / scale
}
