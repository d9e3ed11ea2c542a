package rest

import (
	"context"
	"errors"
	"fmt"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/telemetry/line"
	"github.com/telepath-iot/telepath/peer/wire"
)

// stream is a stream of a device that posts. It implements line.Writer.
type stream struct {
	device *device
	name   string
	out    *peer.Stream
	class  wire.Class
	kind   telemetry.Kind
	packer telemetry.Packer
	count  int // samples of the post that has the turn
}

var errUnfit = errors.New("the value does not fit its stream")

// declare opens a stream, or describes it anew. It implements line.Declare.
func (d *device) declare(s telemetry.Stream) (line.Writer, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	meta, err := s.Meta.Append(nil)
	if err != nil {
		return nil, fmt.Errorf("stream %q: %w", s.Name, err)
	}
	if known := d.open[s.Name]; known != nil {
		known.out.Describe(meta)
		return known, nil
	}
	out, err := d.host.Declare(peer.StreamConfig{Name: s.Name, Class: s.Class, Deadline: s.Deadline, Durable: s.Durable, Meta: meta})
	if err != nil {
		return nil, err
	}
	st := &stream{device: d, name: s.Name, out: out, class: s.Class, kind: s.Meta.Kind}
	st.packer.Reset(s.Meta.Kind)
	d.open[s.Name] = st
	return st, nil
}

// Put implements line.Writer.
func (s *stream) Put(t int64, v telemetry.Value) error {
	if t < 0 {
		return errors.New("the time is before 1970")
	}
	if s.count == 0 { // so far
		s.device.taken.streams = append(s.device.taken.streams, s)
	}
	limit := telemetry.PayloadLimit(s.class)
	if !s.packer.Add(t, v, limit) {
		if err := s.flush(); err != nil {
			return err
		}
		if !s.packer.Add(t, v, limit) {
			return errUnfit
		}
	}
	s.count++
	s.device.taken.samples++
	return nil
}

// maxUnsettled is how many bytes are published before the host takes them:
// well below what may wait for it (peer.Stream).
const maxUnsettled = 256 << 10

// flush publishes what is packed.
func (s *stream) flush() error {
	n := s.packer.Batch.Len()
	if n == 0 {
		return nil
	}
	payload, err := telemetry.Append(nil, &s.packer.Batch)
	s.packer.Reset(s.kind)
	if err == nil {
		err = s.out.Publish(n, payload)
	}
	if err != nil {
		return fmt.Errorf("stream %q: %d samples cannot be published: %w", s.name, n, err)
	}
	t := s.device.taken
	if t.unsettled += len(payload); t.unsettled < maxUnsettled {
		return nil
	}
	t.unsettled = 0
	return s.device.host.Settle(context.Background())
}
