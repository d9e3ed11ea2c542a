package control

import (
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// streams is what the names of the streams begin with that are published here.
const streams = "control/"

// board is what everybody may see who watches the device: what is set, who has the lease, whether the stop is latched, and a
// log of what was done.
type board struct {
	axes                 map[uint64]source.Writer
	log, holder, stopped source.Writer
}

// newBoard declares the streams. Without a sink nothing is published.
func newBoard(sink source.Sink, m rpc.Machine) (*board, error) {
	b := &board{axes: map[uint64]source.Writer{}}
	if sink == nil {
		return b, nil
	}
	declare := func(name string, class wire.Class, meta telemetry.Meta) (w source.Writer, err error) {
		meta.Source, meta.Simulated = "control", m.Simulated
		if w, err = sink.Declare(source.Stream{Name: name, Class: class, Meta: meta}); err != nil {
			return nil, fmt.Errorf("stream %q: %w", name, err)
		}
		return w, nil
	}
	for _, x := range m.Axes {
		w, err := declare(x.Stream, wire.Live, telemetry.Meta{Kind: telemetry.Number, Unit: x.Unit, Label: x.Label, Group: "Control", Min: &x.Min, Max: &x.Max})
		if err != nil {
			return nil, err
		}
		b.axes[x.ID] = w
	}
	var err error
	if b.log, err = declare(streams+"log", wire.Event, telemetry.Meta{Kind: telemetry.Text, Label: "Control log"}); err != nil {
		return nil, err
	}
	if b.holder, err = declare(streams+"holder", wire.Live, telemetry.Meta{Kind: telemetry.Text, Label: "Has control"}); err != nil {
		return nil, err
	}
	b.stopped, err = declare(streams+"stopped", wire.Live, telemetry.Meta{Kind: telemetry.Bool, Label: "Stopped"})
	return b, err
}

// put publishes a value. What a stream of ours refuses it could not be told.
func put(w source.Writer, v telemetry.Value) {
	if w != nil {
		_ = w.Put(source.Stamp(time.Now()), v)
	}
}

// publishLocked publishes where axes are now.
func (a *Authority) publishLocked(values map[uint64]float64) {
	if a.board == nil || len(values) == 0 {
		return
	}
	a.outbox.add(func() {
		for id, v := range values {
			put(a.board.axes[id], telemetry.NumberValue(v))
		}
	})
}

// applied publishes what an actuator has set behind the back of Apply.
func (a *Authority) applied(values map[uint64]float64) {
	a.mu.Lock()
	defer a.unlock()
	a.publishLocked(values)
}

// boardLocked publishes who has the lease and whether the stop is latched.
func (a *Authority) boardLocked() {
	if a.board == nil {
		return
	}
	holder, stopped := "", a.stop.Latched
	if a.lease.holder != nil {
		holder = a.lease.holder.Name
	}
	a.outbox.add(func() {
		put(a.board.holder, telemetry.TextValue(holder))
		put(a.board.stopped, telemetry.BoolValue(stopped))
	})
}

// logLocked writes a line that everybody may read: no parameters, which may be secrets.
func (a *Authority) logLocked(format string, args ...any) {
	if a.board == nil {
		return
	}
	line := fmt.Sprintf(format, args...)
	a.outbox.add(func() { put(a.board.log, telemetry.TextValue(line)) })
}
