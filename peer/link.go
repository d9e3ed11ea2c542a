package peer

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/ws"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// link is the connection to the server, and the making of it again and again.
// Everything but keep runs in the loop.
type link struct {
	endpoint  Endpoint
	url       string
	loop      *loop
	keepAlive time.Duration
	first     func() []byte   // JSON of the open that rides in the request, nil for none
	dial      dialer          // nil: dialWS
	onUp      func(g *leg)    // in the loop
	onDown    func(err error) // in the loop

	leg      *leg // nil while there is no link
	lastID   uint64
	sentAt   time.Duration
	heardAt  time.Duration
	attempts backoff
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
		if time.Since(began) > stableLink {
			l.attempts.reset()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(l.attempts.wait(policy)):
		}
	}
}

// dialer makes a link. open is the JSON of the open signal that rides in the request; nil: none.
type dialer func(ctx context.Context, l *link, open []byte) (carrier.Carrier, error)

// once dials and serves one link until it ends.
func (l *link) once(ctx context.Context) error {
	dial := l.dial
	if dial == nil {
		dial = dialWS
	}
	var open []byte
	if l.first != nil {
		open = l.first()
	}
	c, err := dial(ctx, l, open)
	if err == nil {
		g := &leg{carrier: c}
		l.loop.post(func() { l.up(g) })
		err = c.Run(ctx, l.loop.receiver(g))
	}
	err = refusal(err)
	l.loop.post(func() { l.down(err) })
	return err
}

func dialWS(ctx context.Context, l *link, open []byte) (carrier.Carrier, error) {
	h := http.Header{}
	if l.endpoint.Token != "" {
		h.Set("Authorization", "Bearer "+l.endpoint.Token)
	}
	if encoded := base64.RawURLEncoding.EncodeToString(open); encoded != "" && len(encoded) <= wire.MaxOpenHeader {
		h.Set("Telepath-Open", encoded)
	}
	return ws.Dial(ctx, ws.DialConfig{URL: l.url, Header: h, TLS: l.endpoint.TLS, Client: l.endpoint.HTTP})
}

func (l *link) up(g *leg) {
	l.leg = g
	l.sentAt, l.heardAt = l.loop.now(), l.loop.now()
	l.onUp(g)
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

// signal sends a message to the server (conn 0) or through it to a Conn.
func (l *link) signal(conn uint64, m signal.Message) bool {
	f, err := signalFrame(conn, m)
	if err != nil {
		l.endpoint.log().Error("signal not sent", "type", m.Type, "err", err)
		return false
	}
	return l.send(f)
}

// signalFrame encodes a message as a frame.
func signalFrame(conn uint64, m signal.Message) (carrier.Frame, error) {
	body, err := m.Append(nil)
	if err != nil {
		return carrier.Frame{}, err
	}
	hop := wire.Hop{Conn: conn, Priority: wire.High}
	return carrier.Frame{Class: wire.Signal, Bytes: wire.AppendFrame(nil, wire.TypeSignal, hop, body)}, nil
}

// heard takes what came for the link itself and reports whether that was all.
func (l *link) heard(now time.Duration, f wire.Frame) (done bool) {
	l.heardAt = now
	if f.Hop.Conn != 0 {
		return false
	}
	switch f.Type {
	case wire.TypeProbe:
		if probe, err := wire.ParseProbe(f.Body); err == nil {
			l.send(control(appendEcho(0, probe, time.Now)))
		}
	case wire.TypeEcho: // being heard is all that is wanted
	default:
		return false
	}
	return true
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
	due := min(l.sentAt, l.heardAt) + l.keepAlive
	if now >= due && now >= l.sentAt+l.keepAlive/3 {
		l.lastID++
		probe := wire.Probe{ID: l.lastID, Heard: true, T1: micros(time.Now())}
		l.send(control(wire.AppendProbe(nil, wire.Hop{}, probe)))
	}
	return min(max(due, l.sentAt+l.keepAlive/3), dead)
}

// refusal turns what a carrier says of its end into the error for the user.
func refusal(err error) error {
	var closed *carrier.CloseError
	var refused *carrier.Refused
	switch {
	case errors.As(err, &closed):
		return &RefusedError{Code: closed.Code.Name, Reason: closed.Reason}
	case errors.As(err, &refused):
		return &RefusedError{Code: refused.Code.Name, Reason: refused.Reason, Remedy: refused.Remedy}
	}
	return err
}

// retryPolicy says when to dial again after err.
func retryPolicy(err error) wire.Retry {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return wire.CodeByName(refused.Code).Retry
	}
	return wire.RetryNow
}
