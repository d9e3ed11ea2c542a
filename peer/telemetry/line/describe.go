package line

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Description is a line with "describe". What it leaves out stays as it is.
type Description struct {
	Stream   string          `json:"describe"`
	Unit     *string         `json:"unit"`
	Label    *string         `json:"label"`
	Group    *string         `json:"group"`
	Range    []float64       `json:"range"`    // nominal: [min, max]
	Period   *seconds        `json:"period"`   // nominal time between values
	Deadline *seconds        `json:"deadline"` // how old a value of class live may be delivered
	Class    string          `json:"class"`
	Durable  *bool           `json:"durable"` // of class event: what cannot be kept is refused
	Kind     *telemetry.Kind `json:"kind"`
}

// parseDescription refuses members that it does not know: a typing error in a
// unit would otherwise look like a chart without one.
func parseDescription(line []byte) (*Description, error) {
	var d Description
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return nil, fmt.Errorf("describe: %w: it has unit, label, group, range, period, deadline, class, durable and kind", err)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("describe %.64q: %w", d.Stream, err)
	}
	return &d, nil
}

func (d *Description) check() error {
	if err := wire.CheckName(d.Stream, wire.MaxStreamName); err != nil {
		return err
	}
	if d.Range != nil && (len(d.Range) != 2 || d.Range[0] >= d.Range[1]) {
		return errors.New("want range as [min, max], min less than max")
	}
	return nil
}

// seconds is a duration as a JSON number of seconds, or a string such as "250ms".
type seconds time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (s *seconds) UnmarshalJSON(data []byte) error {
	const most = 24 * 3600
	var number float64
	if json.Unmarshal(data, &number) == nil && number > 0 && number <= most {
		*s = seconds(number * float64(time.Second))
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		if d, err := time.ParseDuration(text); err == nil && d > 0 && d <= most*time.Second {
			*s = seconds(d)
			return nil
		}
	}
	return fmt.Errorf("%.40s is not a duration: want seconds, or a string such as \"250ms\"", data)
}
