// Package sim is a source that makes its values up, and says so: every stream
// of it is marked as simulated. It is there to try the product without
// hardware, and to measure it: a payload carries its number, its time and a
// checksum, so whoever receives it can tell loss, repetition, disorder, damage
// and age without asking the sender.
package sim

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Config is the source's configuration. Parse makes one from text.
type Config struct {
	Rate     float64       // samples a second of each stream; 0: 1
	Size     int           // bytes of a payload; 0: numbers
	Streams  int           // 0: 1
	Class    wire.Class    // Live or Event; the zero value stands for Live
	Wave     Wave          // of numbers; default Sine
	Deadline time.Duration // of Live; 0: 250 ms
}

// Source is the simulation.
type Source struct {
	config Config
	period time.Duration
}

// New makes a source.
func New(config Config) *Source {
	if config.Rate == 0 {
		config.Rate = 1
	}
	if config.Streams == 0 {
		config.Streams = 1
	}
	if config.Class == wire.Signal {
		config.Class = wire.Live
	}
	return &Source{config: config, period: time.Duration(float64(time.Second) / config.Rate)}
}

// maxLag is how far behind its schedule the source may fall before it leaves
// samples out: a machine that slept should not wake up to a burst.
const maxLag = time.Second

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, sink source.Sink) error {
	writers, err := s.declare(sink)
	if err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	next, counter := time.Now(), uint64(1)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if time.Since(next) > maxLag {
			next = time.Now()
		}
		for ; !next.After(time.Now()); next = next.Add(s.period) {
			if err := s.put(writers, counter); err != nil {
				return err
			}
			counter++
		}
		timer.Reset(time.Until(next))
	}
}

func (s *Source) declare(sink source.Sink) ([]source.Writer, error) {
	writers := make([]source.Writer, s.config.Streams)
	for i := range writers {
		w, err := sink.Declare(s.describe(i + 1))
		if err != nil {
			return nil, fmt.Errorf("source sim: %w", err)
		}
		writers[i] = w
	}
	return writers, nil
}

// seriesAChart is how many streams share a chart: as many as an eye can follow.
const seriesAChart = 3

func (s *Source) describe(number int) source.Stream {
	meta := telemetry.Meta{
		Label:     fmt.Sprintf("Simulated %d", number),
		Group:     fmt.Sprintf("Simulated %d", (number-1)/seriesAChart+1),
		PeriodMS:  float64(s.period) / float64(time.Millisecond),
		Source:    "sim",
		Simulated: true,
	}
	if s.config.Size > 0 {
		meta.Kind = telemetry.Bytes
	} else {
		low, high := -1.0, 1.0
		meta.Min, meta.Max = &low, &high
	}
	return source.Stream{Name: fmt.Sprintf("sim/%d", number), Class: s.config.Class, Deadline: s.config.Deadline, Meta: meta}
}

// put makes one sample of every stream, with the time at which it is made:
// its age at the other end is then the age of the path alone.
func (s *Source) put(writers []source.Writer, counter uint64) error {
	for i, w := range writers {
		now := time.Now()
		if err := w.Put(source.Stamp(now), s.value(i, counter, now)); err != nil {
			return fmt.Errorf("source sim: %w", err)
		}
	}
	return nil
}

func (s *Source) value(stream int, counter uint64, now time.Time) telemetry.Value {
	if s.config.Size > 0 {
		return telemetry.BytesValue(AppendPayload(nil, s.config.Size, counter, source.Stamp(now)))
	}
	const period = 10 * time.Second // of the wave
	phase := math.Mod(float64(now.UnixMicro())/float64(period.Microseconds())+float64(stream)/8, 1)
	return telemetry.NumberValue(math.Round(s.config.Wave.at(phase)*1e6) / 1e6)
}
