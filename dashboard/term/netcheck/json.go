package netcheck

import (
	"encoding/json"
	"io"
	"time"

	"github.com/telepath-iot/telepath/dashboard/term/view"
)

// JSON prints one object a line, for scripts. Members never go away; new ones may come.
type JSON struct{ Out io.Writer }

// checkLine is a line of type check. What is not known is null.
type checkLine struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Verdict Verdict  `json:"verdict"`
	MS      *float64 `json:"ms"`
	Detail  *string  `json:"detail"`
	Failure *string  `json:"failure"`
	Reason  *string  `json:"reason"`
	Remedy  *string  `json:"remedy"`

	// Of the check clock alone.
	Ahead *float64 `json:"ahead_ms,omitempty"`
	Err   *float64 `json:"err_ms,omitempty"`
}

type summaryLine struct {
	Type     string  `json:"type"`
	Expected *string `json:"expected"`
	Because  string  `json:"because"`
}

// Check prints a line of type check.
func (j JSON) Check(c Check) error {
	line := checkLine{
		Type: "check", Name: c.Name, Verdict: c.Verdict,
		Detail: given(c.Detail), Failure: given(c.Failure), Reason: given(c.Reason), Remedy: given(c.Remedy),
	}
	if c.Took > 0 {
		line.MS = millis(c.Took)
	}
	if c.Clock != nil {
		line.Ahead, line.Err = millis(c.Clock.Ahead), millis(c.Clock.Err)
	}
	return j.print(line)
}

// Summary prints the line of type summary.
func (j JSON) Summary(s Summary) error {
	return j.print(summaryLine{Type: "summary", Expected: given(s.Expected), Because: view.Escape(s.Because)})
}

func (j JSON) print(line any) error {
	e := json.NewEncoder(j.Out)
	e.SetEscapeHTML(false)
	return e.Encode(line)
}

func given(text string) *string {
	if text == "" {
		return nil
	}
	text = view.Escape(text)
	return &text
}

func millis(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
