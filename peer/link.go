package peer

import (
	"context"
	"encoding/base64"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/ws"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// link is the connection to the server, and the making of it again and again.
type link struct {
	// Set once.
	endpoint  Endpoint
	url       string
	loop      *loop
	meter     *meter
	keepAlive time.Duration
	dial      dialer          // dialWS, but for tests
	first     func() []byte   // JSON of the open that rides in the request; may be nil, or return nil
	onUp      func()          // in the loop
	onDown    func(err error) // in the loop

	failures backoff     // owned by keep
	welcome  atomic.Bool // the server let us in, since keep looked last

	// Owned by the loop.
	leg     *leg // nil while there is no link
	lastID  uint64
	sentAt  time.Duration
	heardAt time.Duration
}

// dialer makes a link. open is the JSON of the open signal that rides in the request; nil: none.
type dialer func(ctx context.Context, l *link, open []byte) (carrier.Carrier, error)

// dialWS dials a WebSocket.
func dialWS(ctx context.Context, l *link, open []byte) (carrier.Carrier, error) {
	h := http.Header{}
	if l.endpoint.Token != "" {
		h.Set("Authorization", "Bearer "+l.endpoint.Token)
	}
	if open != nil {
		h.Set("Telepath-Open", base64.RawURLEncoding.EncodeToString(open))
	}
	c, err := ws.Dial(ctx, ws.DialConfig{URL: l.url, Header: h, TLS: l.endpoint.TLS, Client: l.endpoint.HTTP})
	if err != nil {
		return nil, err // not c, which would be a nil in an interface
	}
	return c, nil
}

// keep holds a link open until ctx ends, or the server says never to come
// again: then it returns why.
func (l *link) keep(ctx context.Context) error {
	for {
		began := time.Now()
		err := l.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		policy := retryPolicy(err)
		if policy == wire.RetryNever {
			return err
		}
		if l.welcome.Swap(false) || time.Since(began) > stableLink {
			l.failures.reset()
		}
		wait := time.NewTimer(l.failures.wait(policy))
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-wait.C:
		}
	}
}

// once dials and serves one link until it ends.
func (l *link) once(ctx context.Context) error {
	var open []byte
	if l.first != nil {
		open = l.first()
	}
	c, err := l.dial(ctx, l, open)
	if err == nil {
		g := &leg{carrier: c}
		l.meter.watch(c)
		l.loop.post(func() { l.up(g) })
		err = c.Run(ctx, l.loop.receiver(g))
		l.meter.forget(c)
	}
	err = refusal(err)
	l.loop.post(func() { l.down(err) })
	return err
}

func (l *link) up(g *leg) {
	l.leg = g
	l.sentAt, l.heardAt = l.loop.now(), l.loop.now()
	l.onUp()
}

func (l *link) down(err error) {
	l.leg = nil
	l.onDown(err)
}

// send queues a frame on the link, if there is one.
func (l *link) send(f carrier.Frame) bool {
	if l.leg == nil {
		return false
	}
	l.sentAt = l.loop.now()
	return l.leg.carrier.Send(f)
}

// signal sends a message to the server (conn 0) or through it to a Conn. A
// link that takes no more signals is given up: what both ends believe of one
// another would differ from then on.
func (l *link) signal(conn uint64, m signal.Message) bool {
	f, err := signalFrame(conn, m)
	if err != nil {
		l.endpoint.log().Error("signal not sent", "type", m.Type, "err", err)
		return false
	}
	sent := l.send(f)
	if !sent && l.leg != nil {
		l.leg.carrier.Close(wire.CodeByName("timeout"), "the server reads no signals")
	}
	return sent
}

// signalFrame encodes a message as a frame.
func signalFrame(conn uint64, m signal.Message) (carrier.Frame, error) {
	body, err := m.Append(nil)
	if err != nil {
		return carrier.Frame{}, err
	}
	hop := wire.Hop{Conn: conn, Priority: wire.High}
	return carrier.Frame{Class: wire.Signal, Conn: conn, Bytes: wire.AppendFrame(nil, wire.TypeSignal, hop, body)}, nil
}

// heard takes what came for the link itself and reports whether that was all.
func (l *link) heard(now time.Duration, f wire.Frame) (done bool, err error) {
	l.heardAt = now
	if f.Hop.Conn != 0 {
		return false, nil
	}
	switch f.Type {
	case wire.TypeProbe:
		probe, err := wire.ParseProbe(f.Body)
		if err != nil {
			return true, err
		}
		l.send(control(appendEcho(0, probe, len(f.Body), time.Now)))
	case wire.TypeEcho: // being heard is all that is wanted
	default:
		return false, nil
	}
	return true, nil
}

// deadAfter is how many keep alives without a word end a link, as MQTT counts (MQTT 3.1.1, section 3.1.2.10).
const deadAfter = 1.5

// step keeps the link alive, or ends it when it is silent.
func (l *link) step(now time.Duration) (wake time.Duration) {
	if l.leg == nil {
		return now + time.Hour
	}
	dead := l.heardAt + time.Duration(deadAfter*float64(l.keepAlive))
	if now >= dead {
		l.leg.carrier.Close(wire.CodeByName("silent"), "nothing heard from the server for 1.5 keep alives")
		return now + time.Second
	}
	due := max(min(l.sentAt, l.heardAt)+l.keepAlive, l.sentAt+l.keepAlive/3)
	if now >= due {
		l.lastID++
		probe := wire.Probe{ID: l.lastID, Heard: true, T1: micros(time.Now())}
		l.send(control(wire.AppendProbe(nil, wire.Hop{}, probe)))
		due = now + l.keepAlive/3
	}
	return min(due, dead)
}
