package netcheck

import (
	"context"
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// link is one link to the server, on which nothing is opened: it is only
// greeted and measured.
type link struct {
	carrier carrier.Carrier
	stop    context.CancelFunc
	hello   chan signal.Message // the server's greeting
	echoes  chan echo
	over    chan struct{}
	err     error // after over: how it ended
	greeted signal.Message
	told    chan signal.Message
	servers []signal.Server // TURN servers; nil: it did not tell
}

// echo is an answer to a probe, and when it came.
type echo struct {
	wire.Echo
	at time.Time
}

// maxEchoes is how many echoes may wait: there is one probe at a time.
const maxEchoes = 4

func runLink(c carrier.Carrier) *link {
	ctx, stop := context.WithCancel(context.Background())
	l := &link{
		carrier: c, stop: stop,
		hello: make(chan signal.Message, 1), told: make(chan signal.Message, 1), echoes: make(chan echo, maxEchoes), over: make(chan struct{}),
	}
	go func() {
		defer close(l.over)
		l.err = c.Run(ctx, l.receive)
	}()
	return l
}

// leave ends the link and waits until it is over.
func (l *link) leave() {
	l.stop()
	<-l.over
}

func (l *link) receive(packet []byte) {
	now := time.Now()
	for f, err := range wire.Frames(packet) {
		if err == nil && f.Hop.Conn == 0 {
			l.take(f, now)
		}
	}
}

func (l *link) take(f wire.Frame, now time.Time) {
	switch f.Type {
	case wire.TypeSignal:
		m, err := signal.Parse(f.Body)
		switch {
		case err != nil:
		case m.Type == signal.Welcome, m.Type == signal.Challenge:
			offer(l.hello, m)
		case m.Type == signal.Servers:
			offer(l.told, m)
		}
	case wire.TypeProbe:
		if e, err := wire.AnswerProbe(f.Body); err == nil {
			e.T2, e.T3 = micros(now), micros(time.Now())
			l.send(wire.AppendEcho(nil, wire.Hop{}, e))
		}
	case wire.TypeEcho:
		if e, err := wire.ParseEcho(f.Body); err == nil {
			offer(l.echoes, echo{e, now})
		}
	}
}

// offer never blocks: what nobody waits for is of no use.
func offer[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

func (l *link) send(frame []byte) { l.carrier.Send(carrier.Frame{Bytes: frame, Control: true}) }

var errMute = errors.New("nothing came")

// greet waits for the server's first word.
func (l *link) greet(ctx context.Context, wait time.Duration) error {
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case l.greeted = <-l.hello:
		return nil
	case <-l.over:
		return l.err
	case <-late.C:
	case <-ctx.Done():
	}
	return errMute
}

// tellTime is how long the server may take to tell its TURN servers; one of an
// older version does not.
const tellTime = time.Second

// askServers has the server tell a viewer its TURN servers.
func (l *link) askServers(ctx context.Context) {
	if l.greeted.Type != signal.Welcome {
		return
	}
	body, err := signal.Message{Type: signal.Servers}.Append(nil)
	if err != nil {
		return
	}
	l.carrier.Send(carrier.Frame{Class: wire.Signal, Bytes: wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{}, body)})
	late := time.NewTimer(tellTime)
	defer late.Stop()
	select {
	case m := <-l.told:
		l.servers = append([]signal.Server{}, m.Servers...)
	case <-l.over:
	case <-late.C:
	case <-ctx.Done():
	}
}

// probe measures one round trip to the server, and its clock.
func (l *link) probe(ctx context.Context, id uint64) (rtt time.Duration, clock Offset, err error) {
	sent := time.Now()
	l.send(wire.AppendProbe(nil, wire.Hop{}, wire.Probe{ID: id, Heard: true, T1: micros(sent)}))
	for {
		select {
		case e := <-l.echoes:
			if e.ID == id {
				rtt, clock = measure(sent, e)
				return rtt, clock, nil
			}
		case <-l.over:
			return 0, clock, l.err
		case <-ctx.Done():
			return 0, clock, errMute
		}
	}
}

// measure reckons as protocol section 3.5 has it.
func measure(sent time.Time, e echo) (rtt time.Duration, clock Offset) {
	held := time.Duration(e.T3-e.T2) * time.Microsecond
	if rtt = e.at.Sub(sent) - held; rtt < 0 {
		rtt = e.at.Sub(sent) // what the server says makes no sense
	}
	there, back := int64(e.T2)-int64(micros(sent)), int64(e.T3)-int64(micros(e.at))
	return rtt, Offset{Ahead: time.Duration(there+back) * time.Microsecond / 2, Err: rtt / 2}
}

func micros(t time.Time) uint64 { return uint64(max(t.UnixMicro(), 0)) }
