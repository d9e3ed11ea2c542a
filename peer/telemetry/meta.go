package telemetry

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Meta is the `meta` member of a stream's description (section 6.3): what a
// screen needs to know to draw the stream well. All members are optional.
type Meta struct {
	Kind      Kind     `json:"kind"`
	Unit      string   `json:"unit,omitempty"`      // as people write it: °C, %, kB/s
	Label     string   `json:"label,omitempty"`     // for people, where the stream's name is not enough
	Group     string   `json:"group,omitempty"`     // streams of one group share a chart
	Min       *float64 `json:"min,omitempty"`       // nominal range; values may leave it
	Max       *float64 `json:"max,omitempty"`       //
	PeriodMS  float64  `json:"period_ms,omitempty"` // nominal time between samples; 0: unknown
	Source    string   `json:"source,omitempty"`    // which source it comes from
	Simulated bool     `json:"simulated,omitempty"` // not a measurement
}

// Limits of a description's texts, in bytes: they are labels.
const (
	maxUnit  = 32
	maxLabel = 128
)

// ParseMeta reads a description made by somebody else. It refuses what it
// cannot read and makes the rest safe to show: texts lose what is not
// printable and are cut to their limits, a range that is none is dropped.
func ParseMeta(data []byte) (Meta, error) {
	var m Meta
	if len(data) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return Meta{}, fmt.Errorf("telemetry: read meta: %w", err)
	}
	m.Unit = printable(m.Unit, maxUnit)
	m.Label = printable(m.Label, maxLabel)
	m.Group = printable(m.Group, maxLabel)
	m.Source = printable(m.Source, maxLabel)
	if m.Min != nil && m.Max != nil && *m.Min >= *m.Max {
		m.Min, m.Max = nil, nil
	}
	if m.PeriodMS < 0 {
		m.PeriodMS = 0
	}
	return m, nil
}

// Append appends the description's JSON.
func (m Meta) Append(dst []byte) ([]byte, error) {
	for _, bound := range []*float64{m.Min, m.Max, &m.PeriodMS} {
		if bound != nil && !finite(*bound) {
			return dst, fmt.Errorf("telemetry: range and period of a stream must be finite: %w", ErrNotFinite)
		}
	}
	data, err := json.Marshal(m)
	if err != nil {
		return dst, fmt.Errorf("telemetry: encode meta: %w", err)
	}
	return append(dst, data...), nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// printable drops what must not be shown and cuts the text to limit bytes.
func printable(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if wire.Printable(r) {
			return r
		}
		return -1
	}, text)
	if len(text) <= limit {
		return text
	}
	for !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
