// Package view shows what one device publishes, line by line: for people
// (Text) or for scripts (JSON). It also has the words for presence and ages
// that the terminal's other commands use.
package view

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Format appends lines. now is for lines that have no time of their own.
type Format interface {
	Sample(b []byte, s *Sample) []byte
	Path(b []byte, now time.Time, p peer.Path) []byte
	Gap(b []byte, now time.Time, stream string, g wire.Gap) []byte
	Presence(b []byte, now time.Time, d signal.Device) []byte
	Clock(b []byte, now time.Time, ahead, err time.Duration) []byte // the device's is wrong, or right again
}

// Config says what to show and how.
type Config struct {
	View   peer.ViewConfig // its Events are the viewer's; with Want, it is told where no stream fits
	Format Format
	Out    io.Writer
	Log    *slog.Logger // for what is not shown: bad payloads, the link
}

// Viewer shows one device.
type Viewer struct {
	config Config // set once
	conn   *peer.Conn
	stop   context.CancelCauseFunc

	// Owned by the goroutine of Conn.Run.
	device  signal.Device
	clock   clockNews
	reached bool        // there was a path
	some    atomic.Bool // streams were described
	few     *time.Timer // until it is told that there are none; nil: not joined yet
	begun   bool        // the stream of a position has begun
	link    Link
	units   map[uint32]string // by stream
	batch   telemetry.Batch
	lines   []byte
	unread  map[uint32]bool // streams of whose bad payloads or descriptions was told
}

// New prepares a viewer. Nothing is sent before Run.
func New(config Config) (*Viewer, error) {
	v := &Viewer{config: config, link: Link{Log: config.Log}, units: map[uint32]string{}, unread: map[uint32]bool{}}
	config.View.Events = peer.Events{
		Opened: v.presence, State: v.presence, Streams: v.streams,
		Batch: v.received, Chunk: v.write, Gap: v.gap, Path: v.path, Link: v.link.Set, Joined: v.joined,
	}
	config.View.NewestTime = telemetry.NewestTime
	var err error
	v.conn, err = peer.Dial(config.View)
	return v, err
}

// Run shows what comes until ctx ends, the server refuses, or Out fails. That
// its time is over without any link to the server is a failure as well.
func (v *Viewer) Run(ctx context.Context) error {
	ctx, v.stop = context.WithCancelCause(ctx)
	defer v.stop(nil)
	err := v.conn.Run(ctx)
	if v.few != nil {
		v.few.Stop()
	}
	if broken, ok := context.Cause(ctx).(outError); ok {
		return broken.error
	}
	if err == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = v.link.Never()
	}
	return err
}

// outError is a failure of Out, as opposed to the end of the caller's context.
type outError struct{ error }

// write prints the lines of one event, or those of a chunk of the past: there may be tens of thousands a second, and each write
// wakes who reads.
func (v *Viewer) write() {
	if len(v.lines) == 0 {
		return
	}
	_, err := v.config.Out.Write(v.lines)
	v.lines = v.lines[:0]
	if err != nil {
		v.stop(outError{err})
	}
}

func (v *Viewer) presence(d signal.Device) {
	if d.ID == v.device.ID && d.State == v.device.State && d.Since == v.device.Since {
		return
	}
	v.device = d
	v.lines = v.config.Format.Presence(v.lines, time.Now(), d)
	v.write()
}

// describeTime is how long after the device has accepted its streams are described, at most: they follow at once.
const describeTime = 2 * time.Second

// joined: where nothing was described soon after, nothing fits what is wanted.
func (v *Viewer) joined() {
	if v.few == nil && len(v.config.View.Want) > 0 {
		v.few = time.AfterFunc(describeTime, func() {
			if !v.some.Load() {
				v.config.Log.Warn("the device has no stream of that name now", "stream", Escape(strings.Join(v.config.View.Want, ", ")))
			}
		})
	}
}

func (v *Viewer) streams(_ string, streams []signal.Stream) {
	v.some.Store(true)
	for _, s := range streams {
		meta, err := telemetry.ParseMeta(s.Meta)
		if err != nil {
			v.cannotRead(&s, "a stream's description cannot be read", err)
		}
		v.units[s.ID] = meta.Unit
		v.begin(&s)
	}
}

// begin tells once if a stream does not begin behind the position that was asked for.
func (v *Viewer) begin(s *signal.Stream) {
	epoch, from, err := signal.ParsePosition(v.config.View.From)
	if err != nil || v.begun {
		return
	}
	started, last, err := signal.ParsePosition(s.Start)
	v.begun = err == nil || s.Class == wire.Live.String()
	switch {
	case s.Class == wire.Live.String():
		v.config.Log.Warn("a stream of class live keeps no past here: it begins now", "stream", Escape(s.Name), "from", v.config.View.From)
	case err == nil && started == epoch && last < from:
		v.config.Log.Warn("the position was never there: the stream goes on after its newest sample", "stream", Escape(s.Name), "from", v.config.View.From, "newest", s.Start)
	}
}

// maxLines is how much of the past is printed at once, in bytes.
const maxLines = 16 << 10

func (v *Viewer) received(r peer.Received) {
	if err := telemetry.Decode(&v.batch, r.Payload, r.Header.Count); err != nil {
		v.cannotRead(r.Stream, "samples cannot be read", err)
		return
	}
	offset, offsetErr, known := v.conn.Clock()
	c := clock{offset, offsetErr, known}
	if v.clock.look(c) {
		v.lines = v.config.Format.Clock(v.lines, time.Now(), offset, offsetErr)
	}
	s := Sample{
		Device: &v.device, Stream: r.Stream, Unit: v.units[r.Stream.ID], Epoch: r.Header.Epoch,
		Path: r.Rung.String(), Late: r.Late, Kept: r.Retained || r.Header.Will, Held: r.Held, Past: r.Past,
	}
	if !r.Header.Will { // its time is ours
		s.Ahead = offset
	}
	for i := r.Skip; i < r.Skip+r.Take; i++ {
		s.Seq, s.T, s.Value = r.Header.Seq+uint64(i), sampleTime(&r, v.batch.T[i]), v.batch.Value(i)
		s.Age = c.age(&r, s.T)
		v.lines = v.config.Format.Sample(v.lines, &s)
	}
	if !r.Past || len(v.lines) > maxLines { // more of the past follows
		v.write()
	}
}

// cannotRead tells of a mistake once for each stream: it is the sender's, and lasts.
func (v *Viewer) cannotRead(s *signal.Stream, what string, err error) {
	if !v.unread[s.ID] {
		v.unread[s.ID] = true
		v.config.Log.Warn(what, "stream", Escape(s.Name), "error", Escape(err.Error()))
	}
}

func (v *Viewer) gap(s *signal.Stream, g wire.Gap) {
	v.lines = v.config.Format.Gap(v.lines, time.Now(), s.Name, g)
	v.write()
}

// path tells the path in use, from the first one on: that there is none yet is no news.
func (v *Viewer) path(p peer.Path) {
	if !p.OK && !v.reached {
		return
	}
	v.reached = true
	v.lines = v.config.Format.Path(v.lines, time.Now(), p)
	v.write()
}
