package stdin

import (
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// streams are the ones that lines have named. Not safe for concurrent use: one goroutine reads lines.
type streams struct {
	sink   source.Sink
	byName map[string]*stream
}

// stream is declared at its first value, or earlier if its kind is described.
type stream struct {
	description source.Stream
	classGiven  bool
	writer      source.Writer // nil: not declared yet
}

func newStreams(sink source.Sink) *streams {
	return &streams{sink: sink, byName: map[string]*stream{}}
}

// put hands a value on.
func (s *streams) put(r reading) error {
	st, err := s.ready(r)
	if err != nil {
		return fmt.Errorf("stream %q: %w", r.stream, err)
	}
	if err := st.writer.Put(r.t, r.value); err != nil {
		return fmt.Errorf("stream %q: %w", r.stream, err)
	}
	return nil
}

// ready returns the stream of a reading, declared.
func (s *streams) ready(r reading) (*stream, error) {
	next, known, err := s.draft(r.stream)
	if err != nil {
		return nil, err
	}
	if next.writer != nil && next.description.Meta.Kind != r.value.Kind() {
		return nil, fmt.Errorf("it has %s values, this one is %s: %w", next.description.Meta.Kind, r.value.Kind(), source.ErrKind)
	}
	next.description.Meta.Kind = r.value.Kind()
	if err := next.setClass(r.class); err != nil {
		return nil, err
	}
	changed := r.unit != "" && r.unit != next.description.Meta.Unit
	if changed {
		next.description.Meta.Unit = r.unit
	}
	if next.writer != nil && !changed {
		return known, nil
	}
	return s.declare(next)
}

// describe changes what is known of a stream.
func (s *streams) describe(d description) error {
	next, _, err := s.draft(d.Stream)
	if err == nil {
		err = next.apply(d)
	}
	if err == nil {
		err = next.setClass(d.Class)
	}
	if err == nil {
		_, err = s.keep(next, d.Kind != nil)
	}
	if err != nil {
		return fmt.Errorf("describe %q: %w", d.Stream, err)
	}
	return nil
}

// draft copies what is known of a stream, so that a line that fails half way changes nothing.
func (s *streams) draft(name string) (draft stream, known *stream, err error) {
	if known = s.byName[name]; known != nil {
		return *known, known, nil
	}
	if len(s.byName) >= wire.MaxStreams {
		return draft, nil, fmt.Errorf("a device has at most %d streams", wire.MaxStreams)
	}
	draft.description = source.Stream{Name: name, Meta: telemetry.Meta{Source: "stdin"}}
	return draft, nil, nil
}

// keep stores a description, and declares it if it is complete.
func (s *streams) keep(next stream, kindKnown bool) (*stream, error) {
	if kindKnown || next.writer != nil {
		return s.declare(next)
	}
	s.byName[next.description.Name] = &next
	return &next, nil
}

func (s *streams) declare(next stream) (*stream, error) {
	if !next.classGiven && next.writer == nil {
		next.description.Class = defaultClass(next.description.Meta.Kind)
	}
	writer, err := s.sink.Declare(next.description)
	if err != nil {
		return nil, err
	}
	next.writer = writer
	s.byName[next.description.Name] = &next
	return &next, nil
}

func defaultClass(kind telemetry.Kind) wire.Class {
	if kind == telemetry.Text {
		return wire.Event
	}
	return wire.Live
}

// setClass takes a class that a line gives; "" gives none.
func (s *stream) setClass(name string) error {
	if name == "" {
		return nil
	}
	class, _ := wire.ParseClass(name)
	if class != wire.Live && class != wire.Event {
		return fmt.Errorf("class %.32q: want live or event", name)
	}
	if s.writer != nil && class != s.description.Class {
		return fmt.Errorf("it is %s: %w", s.description.Class, source.ErrClass)
	}
	s.description.Class, s.classGiven = class, true
	return nil
}

func (s *stream) apply(d description) error {
	meta := &s.description.Meta
	for _, text := range []struct{ from, to *string }{{d.Unit, &meta.Unit}, {d.Label, &meta.Label}, {d.Group, &meta.Group}} {
		if text.from != nil {
			*text.to = *text.from
		}
	}
	if d.Range != nil {
		meta.Min, meta.Max = &d.Range[0], &d.Range[1]
	}
	if d.Period != nil {
		meta.PeriodMS = float64(*d.Period) / float64(time.Millisecond)
	}
	if d.Deadline != nil {
		s.description.Deadline = time.Duration(*d.Deadline)
	}
	if d.Kind == nil {
		return nil
	}
	if s.writer != nil && meta.Kind != *d.Kind {
		return fmt.Errorf("it has %s values: %w", meta.Kind, source.ErrKind)
	}
	meta.Kind = *d.Kind
	return nil
}
