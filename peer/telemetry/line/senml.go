package line

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/telemetry"
)

// RFC 8428: a pack is an array of records. A record's base members hold for it
// and for those behind it.
const (
	senmlVersion  = 10      // section 4.4: the version this reads
	relativeLimit = 1 << 28 // section 4.5.3: a time below it is relative to now, in seconds
)

// base is what base members have said so far.
type base struct {
	name, unit  string
	time, value float64
}

// record is one record, with its members as they are.
type record struct {
	name, unit *string
	time       *float64
	values     []telemetry.Value // exactly one makes a reading
}

// parsePack reads a SenML pack. A mistake in its structure refuses the whole,
// since what base members would have said is unknown; one in a value only that record.
func parsePack(line []byte, now time.Time) ([]Reading, []error) {
	var pack []map[string]json.RawMessage
	if err := json.Unmarshal(line, &pack); err != nil {
		return nil, []error{fmt.Errorf("SenML: %w", jsonError(err))}
	}
	var b base
	var readings []Reading
	var refused []error
	for i, members := range pack {
		rec, err := b.read(members)
		if err != nil {
			return nil, []error{fmt.Errorf("SenML record %d: %w", i+1, err)}
		}
		if rec.baseOnly() {
			continue
		}
		r, err := b.resolve(rec, now)
		if err != nil {
			refused = append(refused, fmt.Errorf("SenML record %d: %w", i+1, err))
			continue
		}
		readings = append(readings, r)
	}
	return readings, refused
}

// read takes the members of a record, base members first: they hold for this record already.
func (b *base) read(members map[string]json.RawMessage) (record, error) {
	var r record
	for _, into := range []func(string, json.RawMessage) (bool, error){b.member, r.member} {
		for label, raw := range members {
			taken, err := into(label, raw)
			if err != nil {
				return r, fmt.Errorf("%q: %w", label, err)
			}
			if taken {
				delete(members, label)
			}
		}
	}
	for label := range members {
		if strings.HasSuffix(label, "_") { // section 4.4: must be understood
			return r, fmt.Errorf("the member %.32q must be understood, but is not known here", label)
		}
	}
	if r.isNumber() {
		r.values[0] = telemetry.NumberValue(r.values[0].Number() + b.value)
	}
	return r, nil
}

func (b *base) member(label string, raw json.RawMessage) (bool, error) {
	switch label {
	case "bn":
		return true, json.Unmarshal(raw, &b.name)
	case "bu":
		return true, json.Unmarshal(raw, &b.unit)
	case "bt":
		return true, json.Unmarshal(raw, &b.time)
	case "bv":
		return true, json.Unmarshal(raw, &b.value)
	case "bver":
		return true, checkVersion(raw)
	case "bs", "s":
		return true, errors.New("sums are not supported: send values (v)")
	}
	return false, nil
}

func checkVersion(raw json.RawMessage) error {
	var version float64
	if err := json.Unmarshal(raw, &version); err != nil {
		return err
	}
	if version > senmlVersion {
		return fmt.Errorf("version %g is newer than %d", version, senmlVersion)
	}
	return nil
}

func (r *record) member(label string, raw json.RawMessage) (bool, error) {
	switch label {
	case "n":
		return true, json.Unmarshal(raw, &r.name)
	case "u":
		return true, json.Unmarshal(raw, &r.unit)
	case "t":
		return true, json.Unmarshal(raw, &r.time)
	case "ut":
		return true, nil // when the next one comes at the latest: nothing here waits for it
	case "v", "vs", "vb":
		return true, r.add(label, raw)
	case "vd":
		return true, r.addData(raw)
	}
	return false, nil
}

func (r *record) add(label string, raw json.RawMessage) error {
	v, err := parseValue(raw)
	want := map[string]telemetry.Kind{"v": telemetry.Number, "vs": telemetry.Text, "vb": telemetry.Bool}[label]
	if err == nil && v.Kind() != want {
		err = fmt.Errorf("want a %s value", want)
	}
	r.values = append(r.values, v)
	return err
}

func (r *record) addData(raw json.RawMessage) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	r.values = append(r.values, telemetry.BytesValue(data))
	return err
}

func (r *record) isNumber() bool { return len(r.values) == 1 && r.values[0].Kind() == telemetry.Number }

// baseOnly says that a record only sets what holds for those behind it.
func (r *record) baseOnly() bool { return r.name == nil && r.time == nil && len(r.values) == 0 }

// resolve makes a record complete (section 4.6).
func (b *base) resolve(r record, now time.Time) (Reading, error) {
	out := Reading{Stream: b.name, Unit: b.unit}
	if r.name != nil {
		out.Stream += *r.name
	}
	if r.unit != nil {
		out.Unit = *r.unit
	}
	if len(r.values) != 1 {
		return out, fmt.Errorf("%d values: want exactly one of v, vs, vb and vd", len(r.values))
	}
	out.Value = r.values[0]
	seconds := b.time
	if r.time != nil {
		seconds += *r.time
	}
	if seconds < relativeLimit {
		seconds += float64(now.UnixMicro()) / 1e6
	}
	var err error
	if out.T, err = micros(seconds); err != nil {
		return out, err
	}
	return out, out.check(now)
}
