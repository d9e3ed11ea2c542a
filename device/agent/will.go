package agent

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Will is a last will: the server publishes the value on the stream when the
// device is cut off without having said goodbye. The stream is of class event.
type Will struct {
	Stream string
	Value  telemetry.Value
}

// ParseWill reads STREAM=JSON. An object or a list becomes a text.
func ParseWill(stream string, value []byte) (Will, error) {
	w := Will{Stream: stream}
	var any any
	if err := json.Unmarshal(value, &any); err != nil {
		return w, fmt.Errorf(`the value of %s, %.64s, is not JSON: a text needs quotes, as in '%s="offline"'`, stream, value, stream)
	}
	switch v := any.(type) {
	case nil:
		return w, fmt.Errorf("the value of %s is null: want a number, a string, true or false", stream)
	case float64:
		w.Value = telemetry.NumberValue(v)
	case bool:
		w.Value = telemetry.BoolValue(v)
	case string:
		w.Value = telemetry.TextValue(v)
	default:
		w.Value = telemetry.TextValue(string(value))
	}
	return w, w.Value.Check()
}

// setWill declares the will's stream. Its sample's time does not count: it is when the server publishes it.
func (a *Agent) setWill(w Will) error {
	s, err := a.Declare(source.Stream{Name: w.Stream, Class: wire.Event, Meta: telemetry.Meta{Kind: w.Value.Kind()}})
	if err != nil {
		return fmt.Errorf("will: %w", err)
	}
	var b telemetry.Batch
	b.Reset(s.kind)
	if err := b.Add(source.Stamp(time.Now()), w.Value); err != nil {
		return fmt.Errorf("will of %s: %w", w.Stream, err)
	}
	payload, err := telemetry.Append(nil, &b)
	if err != nil {
		return fmt.Errorf("will of %s: %w", w.Stream, err)
	}
	out, ok := s.out.(*peer.Stream)
	if ok {
		a.host.SetWill(out, payload)
	}
	return nil
}
