package rest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/room"
)

// view is the latest of a device as it is shown. Names and meaning of its
// members are those of `telepath view --json`.
type view struct {
	Device  string  `json:"device"`
	ID      string  `json:"id"`
	State   string  `json:"state"`
	Since   float64 `json:"since"`    // Unix seconds
	HeardMS *uint64 `json:"heard_ms"` // ms since the device was heard; an age
	Streams []value `json:"streams"`
}

type value struct {
	Stream    string          `json:"stream"`
	Value     telemetry.Value `json:"value"`
	Unit      string          `json:"unit"`
	Kind      telemetry.Kind  `json:"kind"`
	Class     string          `json:"class"`
	T         json.RawMessage `json:"t"` // Unix seconds on the device's clock; of a last will the server's
	Epoch     string          `json:"epoch"`
	Seq       uint64          `json:"seq"`
	HeldMS    *int64          `json:"held_ms"` // ms since the server received it; an age
	Simulated bool            `json:"simulated"`
	Will      bool            `json:"will"` // a last will: the device is gone, and this is what it left
}

// picture reads the payloads, by stream name. One that cannot be read is left
// out: its sender is at fault, and who watches is told.
func picture(l room.Latest, now time.Time) view {
	d := l.Device
	v := view{Device: d.Name, ID: d.ID, State: d.State, Since: d.Since, HeardMS: &d.HeardMS, Streams: []value{}}
	for _, kept := range l.Values {
		if one, ok := read(kept, now); ok {
			v.Streams = append(v.Streams, one)
		}
	}
	slices.SortFunc(v.Streams, func(a, b value) int { return strings.Compare(a.Stream, b.Stream) })
	return v
}

// read takes the newest sample out of a retained frame.
func read(kept room.LatestValue, now time.Time) (v value, ok bool) {
	var b telemetry.Batch
	if telemetry.Decode(&b, kept.Payload, kept.Header.Count) != nil {
		return v, false
	}
	meta, err := telemetry.ParseMeta(kept.Stream.Meta)
	if err != nil {
		meta = telemetry.Meta{} // a value without a unit is worth more than none
	}
	last, held := b.Len()-1, max(now.Sub(kept.At).Milliseconds(), 0)
	v = value{
		Stream: kept.Stream.Name, Value: b.Value(last), Unit: meta.Unit, Kind: b.Kind, Class: kept.Stream.Class,
		T: telemetry.AppendSeconds(nil, b.T[last]), Epoch: signal.FormatEpoch(kept.Header.Epoch),
		Seq: kept.Header.Seq + uint64(last), HeldMS: &held, Simulated: meta.Simulated, Will: kept.Header.Will,
	}
	if v.Will {
		v.T = telemetry.AppendSeconds(nil, kept.At.UnixMicro())
	}
	return v, true
}

// ageless is the view without what changes by itself.
func (v view) ageless() view {
	v.HeardMS = nil
	v.Streams = slices.Clone(v.Streams)
	for i := range v.Streams {
		v.Streams[i].HeldMS = nil
	}
	return v
}

func (v view) json() []byte {
	raw, err := json.Marshal(v)
	if err != nil { // what was decoded always encodes
		return nil
	}
	return append(telemetry.AppendJSON(nil, json.RawMessage(raw)), '\n')
}

// text is a line a stream: name, value and unit, if it has one, between
// spaces. What would not be one word is quoted as in JSON.
func (v view) text() (b []byte) {
	for _, s := range v.Streams {
		b = append(appendWord(b, s.Stream), ' ')
		b = appendValue(b, s.Value)
		if s.Unit != "" {
			b = appendWord(append(b, ' '), s.Unit)
		}
		b = append(b, '\n')
	}
	return b
}

func appendValue(b []byte, v telemetry.Value) []byte {
	if v.Kind() == telemetry.Text {
		return appendWord(b, v.Text())
	}
	return telemetry.AppendValue(b, v)
}

func appendWord(b []byte, text string) []byte {
	odd := func(r rune) bool { return unicode.IsSpace(r) || !wire.Printable(r) || r == '"' || r == '\\' }
	if text == "" || strings.ContainsFunc(text, odd) {
		return telemetry.AppendJSON(b, text)
	}
	return append(b, text...)
}
