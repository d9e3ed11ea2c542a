package source

import (
	"errors"
	"fmt"

	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Limits of the texts of a description, in bytes.
const (
	maxUnit  = 32
	maxLabel = 128
)

// Check says why a stream cannot be declared so, in words for who described it.
func (s Stream) Check() error {
	if err := wire.CheckName(s.Name, wire.MaxStreamName); err != nil {
		return fmt.Errorf("stream %.64q: %w", s.Name, err)
	}
	if s.Class != wire.Live && s.Class != wire.Event {
		return fmt.Errorf("stream %q: class %s: want live or event", s.Name, s.Class)
	}
	if err := checkMeta(s.Meta); err != nil {
		return fmt.Errorf("stream %q: %w", s.Name, err)
	}
	return nil
}

func checkMeta(m telemetry.Meta) error {
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
