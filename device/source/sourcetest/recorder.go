// Package sourcetest has a sink for the tests of sources: it keeps what it is
// given and has the manners of the agent's, so that a source that passes here passes there.
package sourcetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/telemetry"
)

// Sample is one value that was put.
type Sample struct {
	Stream string
	T      int64 // µs
	Value  telemetry.Value
}

// Recorder is a source.Sink that keeps everything. The zero value is ready.
type Recorder struct {
	mu      sync.Mutex
	streams []source.Stream
	samples []Sample
}

// Declare implements source.Sink.
func (r *Recorder) Declare(s source.Stream) (source.Writer, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w := writer{r, s.Name, s.Meta.Kind}
	i := slices.IndexFunc(r.streams, func(known source.Stream) bool { return known.Name == s.Name })
	if i < 0 {
		r.streams = append(r.streams, s)
		return w, nil
	}
	switch known := r.streams[i]; {
	case known.Class != s.Class:
		return nil, fmt.Errorf("%s is %s: %w", s.Name, known.Class, source.ErrClass)
	case known.Meta.Kind != s.Meta.Kind:
		return nil, fmt.Errorf("%s is %s: %w", s.Name, known.Meta.Kind, source.ErrKind)
	}
	r.streams[i] = s
	return w, nil
}

// Streams returns what was declared, in that order, in the newest description.
func (r *Recorder) Streams() []source.Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.streams)
}

// Samples returns what was put so far.
func (r *Recorder) Samples() []Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.samples)
}

// Of returns the samples of one stream.
func (r *Recorder) Of(stream string) []Sample {
	return slices.DeleteFunc(r.Samples(), func(s Sample) bool { return s.Stream != stream })
}

type writer struct {
	recorder *Recorder
	stream   string
	kind     telemetry.Kind
}

func (w writer) Put(t int64, v telemetry.Value) error {
	if v.Kind() != w.kind {
		return source.ErrKind
	}
	if err := v.Check(); err != nil {
		return err
	}
	if v.Kind() == telemetry.Bytes {
		v = telemetry.BytesValue(slices.Clone(v.Bytes()))
	}
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	w.recorder.samples = append(w.recorder.samples, Sample{w.stream, t, v})
	return nil
}
