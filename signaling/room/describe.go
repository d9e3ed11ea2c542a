package room

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// description is what a device said of its streams, kept for those who ask
// while it is away.
type description struct {
	mu       sync.Mutex
	epoch    string
	revision uint64 // up to which it is whole; 0: unknown
	streams  map[uint32]signal.Stream
	bytes    int
}

// wholeIn is the revision in an epoch up to which nothing is missing; 0: none.
func (d *description) wholeIn(epoch string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if epoch == "" || d.epoch != epoch {
		return 0
	}
	return d.revision
}

// size is how many bytes are held, as JSON.
func (d *description) size() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bytes
}

// forget leaves nothing, as if the device had never described anything.
func (d *description) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.epoch, d.revision, d.streams, d.bytes = "", 0, nil, 0
}

// merge adds or replaces streams. What cannot be taken is left out and told in
// err; the others stand. fresh: the device started anew, and the numbers of
// streams mean others than before.
func (d *description) merge(m signal.Message) (fresh bool, err error) {
	if len(m.Streams) > maxDescribed {
		return false, fmt.Errorf("describe of %d streams in one signal, more than %d: send several", len(m.Streams), maxDescribed)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if fresh = d.epoch != m.Epoch || d.streams == nil; fresh {
		d.epoch, d.revision, d.streams, d.bytes = m.Epoch, 0, make(map[uint32]signal.Stream), 0
	}
	d.revision = max(d.revision, m.Revision)
	var errs []error
	for _, s := range m.Streams {
		if err := d.addLocked(s); err != nil {
			errs = append(errs, err)
		}
	}
	return fresh, errors.Join(errs...)
}

func (d *description) addLocked(s signal.Stream) error {
	if err := checkStream(s); err != nil {
		return err
	}
	s.Start = "" // is for one Conn
	old, known := d.streams[s.ID]
	bytes := d.bytes + encodedSize(s)
	if known {
		bytes -= encodedSize(old)
	}
	switch {
	case !known && len(d.streams) >= wire.MaxStreams:
		return fmt.Errorf("stream %d: the device has %d streams already, which is the limit", s.ID, wire.MaxStreams)
	case bytes > maxDescription:
		return fmt.Errorf("stream %d: the descriptions of all streams exceed %d bytes", s.ID, maxDescription)
	}
	d.streams[s.ID], d.bytes = s, bytes
	return nil
}

func checkStream(s signal.Stream) error {
	if s.ID == 0 || s.ID >= wire.HistoryStream {
		return fmt.Errorf("stream number %d is not within 1 and %d", s.ID, wire.HistoryStream-1)
	}
	if err := wire.CheckName(s.Name, wire.MaxStreamName); err != nil {
		return fmt.Errorf("stream %d: %w", s.ID, err)
	}
	if _, ok := wire.ParseClass(s.Class); !ok {
		return fmt.Errorf("stream %d: %.32q is no delivery class", s.ID, s.Class)
	}
	if len(s.Meta) > maxMeta {
		return fmt.Errorf("stream %d: its meta has %d bytes, more than %d", s.ID, len(s.Meta), maxMeta)
	}
	return nil
}

// messages are the description as signals, none too large; none at all if
// nothing was described yet.
func (d *description) messages() (out []signal.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var part []signal.Stream
	bytes := 0
	for _, id := range d.idsLocked() {
		s := d.streams[id]
		if n := encodedSize(s); len(part) == maxDescribed || bytes+n > describeFrameBytes {
			out = append(out, signal.Message{Type: signal.Describe, Epoch: d.epoch, Streams: part})
			part, bytes = nil, 0
		}
		part = append(part, s)
		bytes += encodedSize(s)
	}
	if len(part) > 0 {
		out = append(out, signal.Message{Type: signal.Describe, Epoch: d.epoch, Streams: part})
	}
	return out
}

func (d *description) idsLocked() []uint32 {
	ids := make([]uint32, 0, len(d.streams))
	for id := range d.streams {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// encodedSize is the length of s in JSON, where names can grow by quoting.
func encodedSize(s signal.Stream) int {
	data, err := json.Marshal(s)
	if err != nil { // meta was parsed as JSON when it came
		return maxMeta
	}
	return len(data)
}

// wanted is a choice of streams by the globs of an open. Streams that were
// not described have no name, and only a want for everything includes them.
func (d *description) wanted(globs []string) func(stream uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := make(map[uint32]bool, len(d.streams))
	for id, s := range d.streams {
		names[id] = signal.Wanted(globs, s.Name)
	}
	all := signal.Wanted(globs, "")
	return func(stream uint32) bool {
		want, known := names[stream]
		return want || !known && all
	}
}

// all copies the description.
func (d *description) all() map[uint32]signal.Stream {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.streams)
}

func (d *description) knows(stream uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.streams[stream]
	return ok
}
