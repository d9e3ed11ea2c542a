package telemetry

import (
	"errors"
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Stream describes one stream, as whoever publishes it declares it.
type Stream struct {
	Name     string        // 1 … 128 bytes of printable UTF-8
	Class    wire.Class    // Live or Event
	Deadline time.Duration // of Live: how old a sample may be delivered; 0: 250 ms
	Durable  bool          // of Event: what the device's spool has no room for is refused when it is made, instead of making room; fixed as well
	Meta     Meta          // its Kind is fixed for the life of the stream
}

// What cannot change in the life of a stream; the text around them says which.
var (
	ErrStreamKind  = errors.New("the kind of a stream cannot change")
	ErrStreamClass = errors.New("the class of a stream cannot change")
	// ErrDurable: a stream of class Live is fresh or not at all, and a durable one is durable from its first sample on.
	ErrDurable = errors.New("only a stream of class event can be durable, from its first sample on")
)

// Check says why a stream cannot be declared so, in words for who described it.
func (s Stream) Check() error {
	if err := wire.CheckName(s.Name, wire.MaxStreamName); err != nil {
		return fmt.Errorf("stream %.64q: %w", s.Name, err)
	}
	if s.Class != wire.Live && s.Class != wire.Event {
		return fmt.Errorf("stream %q: class %s: want live or event", s.Name, s.Class)
	}
	if s.Durable && s.Class != wire.Event {
		return fmt.Errorf("stream %q: it is %s: %w", s.Name, s.Class, ErrDurable)
	}
	if err := s.Meta.check(); err != nil {
		return fmt.Errorf("stream %q: %w", s.Name, err)
	}
	return nil
}

// check is for one's own description; ParseMeta is for somebody else's.
func (m Meta) check() error {
	for _, text := range []struct {
		what, text string
		limit      int
	}{{"unit", m.Unit, maxUnit}, {"label", m.Label, maxLabel}, {"group", m.Group, maxLabel}} {
		if text.text == "" {
			continue
		}
		if err := wire.CheckName(text.text, text.limit); err != nil {
			return fmt.Errorf("%s %.40q: %w", text.what, text.text, err)
		}
	}
	if m.Min != nil && m.Max != nil && !(*m.Min < *m.Max) {
		return errors.New("the range's minimum is not below its maximum")
	}
	return nil
}
