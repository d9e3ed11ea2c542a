package view

import (
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// JSON prints one object a line, for scripts. Members never go away; new ones may come.
type JSON struct{}

// Sample appends a line of type sample.
func (JSON) Sample(b []byte, s *Sample) []byte {
	b = append(b, `{"type":"sample","device":`...)
	b = appendString(b, s.Device.Name)
	b = append(b, `,"id":`...)
	b = appendString(b, s.Device.ID)
	b = append(b, `,"stream":`...)
	b = appendString(b, s.Stream.Name)
	b = append(b, `,"epoch":"`...)
	b = append(b, signal.FormatEpoch(s.Epoch)...)
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, s.Seq, 10)
	b = append(b, `,"t":`...)
	b = telemetry.AppendSeconds(b, s.T)
	b = append(b, `,"value":`...)
	b = telemetry.AppendValue(b, s.Value)
	b = append(b, `,"class":`...)
	b = appendString(b, s.Stream.Class)
	b = append(b, `,"age_ms":`...)
	b = appendMillis(b, s.Age.Value, s.Age.Known)
	b = append(b, `,"age_err_ms":`...)
	b = appendMillis(b, s.Age.Err, s.Age.ErrKnown)
	b = append(b, `,"path":"`...)
	b = append(b, s.Path...)
	b = append(b, `","late":`...)
	b = strconv.AppendBool(b, s.Late)
	b = append(b, `,"retained":`...)
	b = strconv.AppendBool(b, s.Kept)
	b = append(b, `,"past":`...)
	b = strconv.AppendBool(b, s.Past)
	return append(b, "}\n"...)
}

// Path appends a line of type path; path is null while there is none.
func (JSON) Path(b []byte, _ time.Time, p peer.Path) []byte {
	b = append(b, `{"type":"path","path":`...)
	if p.OK {
		b = appendString(b, p.Rung.String())
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"reason":`...)
	b = appendString(b, p.Reason)
	return append(b, "}\n"...)
}

// Gap appends a line of type gap; to is null where nobody knows how many are missing.
func (JSON) Gap(b []byte, _ time.Time, stream string, g wire.Gap) []byte {
	b = append(b, `{"type":"gap","stream":`...)
	b = appendString(b, stream)
	b = append(b, `,"epoch":"`...)
	b = append(b, signal.FormatEpoch(g.Epoch)...)
	b = append(b, `","from":`...)
	b = strconv.AppendUint(b, g.From, 10)
	b = append(b, `,"to":`...)
	if g.To == 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendUint(b, g.To, 10)
	}
	b = append(b, `,"reason":`...)
	b = appendString(b, g.Reason.String())
	return append(b, "}\n"...)
}

// Presence appends a line of type presence.
func (JSON) Presence(b []byte, _ time.Time, d signal.Device) []byte {
	b = append(b, `{"type":"presence","device":`...)
	b = appendString(b, d.Name)
	b = append(b, `,"id":`...)
	b = appendString(b, d.ID)
	b = append(b, `,"state":`...)
	b = appendString(b, d.State)
	b = append(b, `,"since":`...)
	b = telemetry.AppendJSON(b, d.Since)
	if d.GraceMS > 0 {
		b = append(b, `,"grace_ms":`...)
		b = strconv.AppendUint(b, d.GraceMS, 10)
	}
	if d.AheadMS != 0 {
		b = append(b, `,"ahead_ms":`...)
		b = strconv.AppendInt(b, d.AheadMS, 10)
	}
	return append(b, "}\n"...)
}

// Clock appends a line of type clock.
func (JSON) Clock(b []byte, _ time.Time, ahead, err time.Duration) []byte {
	b = append(b, `{"type":"clock","ahead_ms":`...)
	b = appendMillis(b, ahead, true)
	b = append(b, `,"err_ms":`...)
	b = appendMillis(b, err, true)
	return append(b, "}\n"...)
}

func appendMillis(b []byte, d time.Duration, known bool) []byte {
	if !known {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, float64(d.Microseconds())/1000, 'f', 3, 64)
}

func appendString(b []byte, text string) []byte { return telemetry.AppendText(b, text) }
