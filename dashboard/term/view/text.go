package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Text prints lines for people. Everything that a device says is escaped.
type Text struct{}

// The layout of a line: time, stream, value, age, path.
const (
	clockLayout = "15:04:05.000"
	nameWidth   = 24
	valueWidth  = 16
)

// Sample appends a line for a sample.
func (Text) Sample(b []byte, s *Sample) []byte {
	value := Escape(s.Value.String())
	if s.Unit != "" {
		value += " " + Escape(s.Unit)
	}
	notes := s.Path
	if s.Kept {
		notes += ", kept for " + Short(s.Held)
	}
	if s.Past {
		notes += ", from the spool"
	}
	if s.Late {
		notes += ", late"
	}
	return fmt.Appendf(b, "%s  %s  %s  %s  %s\n", time.UnixMicro(s.T).Add(-s.Ahead).Format(clockLayout),
		left(Escape(s.Stream.Name), nameWidth), left(value, valueWidth), left(s.Age.String(), 18), notes)
}

// String writes the age for people: "3.1 ms ± 0.4 ms".
func (a Age) String() string {
	switch {
	case !a.Known:
		return "age unknown"
	case !a.ErrKnown:
		return Short(a.Value)
	}
	return Short(max(a.Value, 0)) + " ± " + Short(a.Err)
}

// Path appends a line for a change of path.
func (Text) Path(b []byte, now time.Time, p peer.Path) []byte {
	name := "none"
	if p.OK {
		name = p.Rung.String()
	}
	if p.Both {
		name += " and " + p.Beside.String()
	}
	return note(b, now, "path: %s (%s)", name, Escape(p.Reason))
}

// gapWords says for people what a gap's reason means.
var gapWords = map[wire.GapReason]string{
	wire.GapRing:            "overwritten before they could be sent",
	wire.GapRestart:         "the device restarted",
	wire.GapUnknownPosition: "the device does not have that position",
	wire.GapRefused:         "they cannot be read here",
	wire.GapSpool:           "the device's disk did not take them, or no longer has them",
}

// Gap appends a line for samples that will never come.
func (Text) Gap(b []byte, now time.Time, stream string, g wire.Gap) []byte {
	which := fmt.Sprintf("%d samples are missing, %d to %d", g.To-g.From+1, g.From, g.To)
	if g.To == 0 {
		which = fmt.Sprintf("samples are missing, it is unknown how many, from %d on", g.From)
	}
	return note(b, now, "gap in %s: %s: %s", Escape(stream), which, gapWords[g.Reason])
}

// Presence appends a line for a change of presence.
func (Text) Presence(b []byte, now time.Time, d signal.Device) []byte {
	return note(b, now, "%s: %s", Escape(d.Name), State(d, now))
}

// Clock appends a line for a clock that is wrong, or right again.
func (Text) Clock(b []byte, now time.Time, ahead, err time.Duration) []byte {
	if c := (clock{ahead, err, true}); !c.isWrong() {
		return note(b, now, "its clock is right now")
	}
	where := "behind"
	if ahead > 0 {
		where = "ahead of"
	}
	return note(b, now, "its clock is %s %s this one; times are by this one, and ages are right", Short(ahead.Abs()), where)
}

// note is a line of its own between samples.
func note(b []byte, now time.Time, format string, args ...any) []byte {
	b = append(b, now.Format(clockLayout)...)
	b = append(b, "  ── "...)
	return append(fmt.Appendf(b, format, args...), '\n')
}

// State says the presence of a device in words, as of now.
func State(d signal.Device, now time.Time) string {
	switch d.State {
	case signal.StateLive:
		return "Live"
	case signal.StateReachable:
		return "Reachable, heard " + Short((time.Duration(d.HeardMS) * time.Millisecond).Round(time.Second)) + " ago"
	case signal.StateOffline:
		text := "Offline since " + moment(time.UnixMicro(int64(d.Since*1e6)), now)
		if d.GraceMS > 0 {
			text += ", may be back in a moment"
		}
		return text
	}
	return "Unknown (" + Escape(d.State) + ")"
}

// moment writes a time without a date if it is today's.
func moment(t, now time.Time) string {
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

const hoursOfYear = 24 * 365.25

// Short writes a duration with two or three digits and a unit.
func Short(d time.Duration) string {
	switch abs := d.Abs(); {
	case abs < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	case abs < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	case abs < time.Minute:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	case abs < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case abs < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	if days := int(d.Hours()) / 24; days < 2*365 {
		return fmt.Sprintf("%d days", days)
	}
	return fmt.Sprintf("%d years", int(d.Hours()/hoursOfYear))
}

// left pads a text with spaces to a width in characters.
func left(text string, width int) string {
	if n := width - len([]rune(text)); n > 0 {
		return text + strings.Repeat(" ", n)
	}
	return text
}
