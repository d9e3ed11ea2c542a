package line

import (
	"fmt"
	"reflect"
	"time"

	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Writer takes the values of one stream, at times in µs since the Unix epoch.
type Writer interface {
	Put(t int64, v telemetry.Value) error
}

// Declare opens a stream for writing, or gives one that is open a new
// description; its class and kind are as they were then.
type Declare func(telemetry.Stream) (Writer, error)

// Streams are the ones that lines have named. Not safe for concurrent use.
type Streams struct {
	source  string
	declare Declare
	byName  map[string]*stream
}

// stream is declared at its first value, or earlier if its kind is described.
type stream struct {
	description telemetry.Stream
	classGiven  bool
	writer      Writer // nil: not declared yet
}

// NewStreams knows of no stream yet. source is what their descriptions name as such.
func NewStreams(source string, declare Declare) *Streams {
	return &Streams{source: source, declare: declare, byName: map[string]*stream{}}
}

// Take hands on what a line says. The errors tell what of it could not be taken.
func (s *Streams) Take(c Content) (errs []error) {
	if c.Description != nil {
		if err := s.describe(*c.Description); err != nil {
			errs = append(errs, err)
		}
	}
	for _, r := range c.Readings {
		if err := s.put(r); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// put hands a value on.
func (s *Streams) put(r Reading) error {
	st, err := s.ready(r)
	if err != nil {
		return fmt.Errorf("stream %q: %w", r.Stream, err)
	}
	if err := st.writer.Put(r.T, r.Value); err != nil {
		return fmt.Errorf("stream %q: %w", r.Stream, err)
	}
	return nil
}

// ready returns the stream of a reading, declared.
func (s *Streams) ready(r Reading) (*stream, error) {
	next, known, err := s.draft(r.Stream)
	if err != nil {
		return nil, err
	}
	if next.writer != nil && next.description.Meta.Kind != r.Value.Kind() {
		return nil, fmt.Errorf("it has %s values, this one is %s: %w", next.description.Meta.Kind, r.Value.Kind(), telemetry.ErrStreamKind)
	}
	next.description.Meta.Kind = r.Value.Kind()
	if err := next.setClass(r.Class); err != nil {
		return nil, err
	}
	changed := r.Unit != "" && r.Unit != next.description.Meta.Unit
	if changed {
		next.description.Meta.Unit = r.Unit
	}
	if next.writer != nil && !changed {
		return known, nil
	}
	return s.open(next)
}

// describe changes what is known of a stream.
func (s *Streams) describe(d Description) error {
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
func (s *Streams) draft(name string) (draft stream, known *stream, err error) {
	if known = s.byName[name]; known != nil {
		return *known, known, nil
	}
	if len(s.byName) >= wire.MaxStreams {
		return draft, nil, fmt.Errorf("a device has at most %d streams", wire.MaxStreams)
	}
	draft.description = telemetry.Stream{Name: name, Meta: telemetry.Meta{Source: s.source}}
	return draft, nil, nil
}

// keep stores a description, and declares it if it is complete.
func (s *Streams) keep(next stream, kindKnown bool) (*stream, error) {
	if known := s.byName[next.description.Name]; known != nil && reflect.DeepEqual(*known, next) {
		return known, nil // said again
	}
	if kindKnown || next.writer != nil {
		return s.open(next)
	}
	s.byName[next.description.Name] = &next
	return &next, nil
}

func (s *Streams) open(next stream) (*stream, error) {
	if !next.classGiven && next.writer == nil {
		next.description.Class = defaultClass(next.description.Meta.Kind)
	}
	writer, err := s.declare(next.description)
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
		return fmt.Errorf("it is %s: %w", s.description.Class, telemetry.ErrStreamClass)
	}
	s.description.Class, s.classGiven = class, true
	return nil
}

func (s *stream) apply(d Description) error {
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
	if d.Durable != nil {
		if s.writer != nil && s.description.Durable != *d.Durable {
			return telemetry.ErrDurable
		}
		s.description.Durable = *d.Durable
	}
	if d.Kind == nil {
		return nil
	}
	if s.writer != nil && meta.Kind != *d.Kind {
		return fmt.Errorf("it has %s values: %w", meta.Kind, telemetry.ErrStreamKind)
	}
	meta.Kind = *d.Kind
	return nil
}
