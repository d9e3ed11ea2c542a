// Package line reads telemetry that is written as text: by programs that can
// print, and by scripts that can post.
//
//	{"stream": "temperature", "value": 21.5}
//	{"stream": "door", "value": "open", "t": 1767225600.25, "class": "event"}
//	{"describe": "temperature", "unit": "°C", "range": [-20, 50], "period": 1}
//	[{"bn": "urn:dev:ow:10e2073a01080063/", "n": "temp", "u": "Cel", "v": 23.1}]
//
// The last form is a SenML pack (RFC 8428). A value is a number, a string, true
// or false; the first one fixes the kind of its stream. Its time t is in
// seconds since the Unix epoch, or a string as in RFC 3339; without one it is
// when the line came. Strings make a stream of class event, everything else
// one of class live, unless a class is given.
//
// [Parse] reads one line, [Split] takes a whole body apart into what Parse
// reads, and [Streams] keeps what lines have said of streams and hands the
// values on.
package line

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// MaxLength of a line, in bytes: seven of the longest values fit.
const MaxLength = 1 << 16

// maxSkew is how far a given time may be from this machine's clock. Beyond it the
// sender's clock is wrong: a board without one starts in 1970.
const maxSkew = 24 * time.Hour

// Content is what a line says.
type Content struct {
	Description *Description // nil: it describes nothing
	Readings    []Reading
}

// Reading is one value of one stream.
type Reading struct {
	Stream string
	T      int64 // µs
	Value  telemetry.Value
	Class  string // "": not said
	Unit   string // "": not said
}

// Parse reads a line, which is not empty and has no space around it, that came
// at now. A pack may yield both readings and errors.
func Parse(line []byte, now time.Time) (Content, []error) {
	if !utf8.Valid(line) {
		return Content{}, []error{errors.New("not valid UTF-8")}
	}
	if line[0] == '[' {
		readings, errs := parsePack(line, now)
		return Content{Readings: readings}, errs
	}
	c, err := parseObject(line, now)
	if err != nil {
		return Content{}, []error{err}
	}
	return c, nil
}

func parseObject(line []byte, now time.Time) (Content, error) {
	if line[0] != '{' {
		return Content{}, fmt.Errorf("neither a JSON object nor a SenML pack: %.40q", line)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return Content{}, jsonError(err)
	}
	if _, found := members["describe"]; found {
		d, err := parseDescription(line)
		return Content{Description: d}, err
	}
	r, err := parseReading(members, now)
	return Content{Readings: []Reading{r}}, err
}

// parseReading ignores members it does not know: they are the sender's own.
func parseReading(members map[string]json.RawMessage, now time.Time) (Reading, error) {
	r := Reading{T: now.UnixMicro()}
	if members["stream"] == nil {
		return r, errors.New(`no member "stream": want {"stream": "name", "value": …}`)
	}
	for _, text := range []struct {
		member string
		to     *string
	}{{"stream", &r.Stream}, {"class", &r.Class}, {"unit", &r.Unit}} {
		if raw, found := members[text.member]; found {
			if err := json.Unmarshal(raw, text.to); err != nil {
				return r, fmt.Errorf("%q is not a string", text.member)
			}
		}
	}
	var err error
	if r.Value, err = parseValue(members["value"]); err != nil {
		return r, fmt.Errorf("stream %.64q: %w", r.Stream, err)
	}
	if raw, found := members["t"]; found {
		if r.T, err = parseTime(raw); err != nil {
			return r, fmt.Errorf("stream %.64q: %w", r.Stream, err)
		}
	}
	return r, r.check(now)
}

// check says why a reading cannot be taken.
func (r Reading) check(now time.Time) error {
	if err := wire.CheckName(r.Stream, wire.MaxStreamName); err != nil {
		return fmt.Errorf("stream %.64q: %w", r.Stream, err)
	}
	if err := r.Value.Check(); err != nil {
		return fmt.Errorf("stream %q: %w", r.Stream, err)
	}
	if skew := time.UnixMicro(r.T).Sub(now); skew.Abs() > maxSkew {
		return fmt.Errorf("stream %q: its time %s is more than %d h from this machine's clock (%s): leave t out, or set the clock right",
			r.Stream, time.UnixMicro(r.T).UTC().Format(time.RFC3339), int(maxSkew.Hours()), now.UTC().Format(time.RFC3339))
	}
	return nil
}

func parseValue(raw json.RawMessage) (telemetry.Value, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return telemetry.Value{}, errors.New(`no member "value"`)
	}
	switch c := raw[0]; {
	case c == '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return telemetry.TextValue(text), err
	case c == 't' || c == 'f':
		return telemetry.BoolValue(c == 't'), nil
	case c == '-' || c >= '0' && c <= '9':
		return parseNumber(raw)
	}
	return telemetry.Value{}, fmt.Errorf("the value %.40q is not a number, string, true or false", raw)
}

func parseNumber(raw []byte) (telemetry.Value, error) {
	x, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return telemetry.Value{}, fmt.Errorf("the number %.40s is too large", raw)
	}
	return telemetry.NumberValue(x), nil
}

// parseTime reads seconds since the Unix epoch, or a string of RFC 3339, into µs.
func parseTime(raw json.RawMessage) (int64, error) {
	var text *string
	if json.Unmarshal(raw, &text) == nil && text != nil {
		if t, err := time.Parse(time.RFC3339Nano, *text); err == nil {
			return t.UnixMicro(), nil
		}
		return 0, fmt.Errorf("the time %.40q is not in the form of RFC 3339, such as 2026-01-31T12:00:00.25Z", *text)
	}
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil || string(raw) == "null" {
		return 0, fmt.Errorf("the time %.40s is not a number of seconds", raw)
	}
	return micros(seconds)
}

// micros turns seconds since the Unix epoch into µs, exactly for any time of this century.
func micros(seconds float64) (int64, error) {
	const last = 1e11 // the year 5138: what is beyond is no time in seconds
	if seconds < 0 || seconds > last {
		return 0, fmt.Errorf("the time %g is not a number of seconds since 1970: is it in milliseconds?", seconds)
	}
	return int64(math.Round(seconds * 1e6)), nil
}

// jsonError says where a line stops being JSON.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not JSON: %w (byte %d)", err, syntax.Offset)
	}
	return fmt.Errorf("not JSON: %w", err)
}
