package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// client is the client's side of a link.
type client struct {
	// set once
	c         *Carrier
	transport http.RoundTripper
	base      string // URL of links
	id        string
	life      context.Context // of all requests
	kill      context.CancelCauseFunc
	release   func()
	onCapped  func(bytes int)
	stream    io.ReadCloser // rung sse: the event stream
	first     []byte        // rung poll: the first answer

	// owned by the reader, by Dial before
	polls  uint64 // number of the newest poll
	answer int    // most bytes that an answer may have to get through

	// owned by the writer
	ups   uint64 // number of the newest up
	body  int    // most bytes that a body may have to get through
	batch carrier.Batch
}

func newClient(cfg DialConfig) (*client, error) {
	base, err := baseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Rung != ladder.SSE && cfg.Rung != ladder.Poll {
		return nil, fmt.Errorf("rung %v is no link over HTTP", cfg.Rung)
	}
	e := &client{
		c: newCarrier(cfg.Rung, cfg.Config), base: base, id: newLinkID().String(),
		transport: cfg.Transport, release: func() {}, answer: wire.MaxPacket, body: wire.MaxPacket,
	}
	if cfg.Body > 0 {
		e.body = max(cfg.Body, minPacket)
	}
	if e.onCapped = cfg.OnCapped; e.onCapped == nil {
		e.onCapped = func(int) {}
	}
	if e.transport == nil {
		own := newTransport(cfg)
		e.transport, e.release = own, own.close
	}
	e.c.side = e
	e.life, e.kill = context.WithCancelCause(context.Background())
	context.AfterFunc(e.c.life.Ending(), e.guillotine)
	return e, nil
}

// cut ends all requests.
func (e *client) cut() { e.kill(nil) }

// guillotine cuts all requests when an ending has had its time.
func (e *client) guillotine() {
	time.AfterFunc(carrier.FlushTime+closeTime, e.cut)
}

// hangUp gives everything free.
func (e *client) hangUp() {
	e.cut()
	if e.stream != nil {
		e.stream.Close()
	}
	e.release()
}

// serve implements side.
func (e *client) serve(receive func(packet []byte)) {
	defer e.hangUp()
	var tasks sync.WaitGroup
	tasks.Go(e.write)
	e.c.life.Stop(e.read(receive))
	tasks.Wait()
}

// write sends what is queued until the carrier is ending, says goodbye where
// that is ours to say, and cuts what the reader waits for.
func (e *client) write() {
	defer e.cut()
	if err := e.writeQueued(); err != nil {
		e.awaitReader(err)
	}
	bye := endPacket(e.c.life.Cause())
	if bye == nil || e.flush() != nil {
		return
	}
	e.ups++
	_ = e.up(bye) // the other end will notice, if later
}

func (e *client) writeQueued() error {
	for !e.c.life.Ends() {
		more, err := e.writeOne()
		switch {
		case err != nil:
			return err
		case more:
			continue
		}
		select {
		case <-e.c.tap.Ready():
		case <-e.c.life.Ending().Done():
		}
	}
	return nil
}

// flush sends what is queued, for as long as carrier.FlushTime.
func (e *client) flush() error {
	begin := time.Now()
	for more, err := true, error(nil); more && time.Since(begin) < carrier.FlushTime; {
		if more, err = e.writeOne(); err != nil {
			return err
		}
	}
	return nil
}

// awaitReader gives the reader a moment to find out why a request failed: the
// other end's reason may be among what it has not read yet.
func (e *client) awaitReader(err error) {
	moment := time.NewTimer(closeTime)
	defer moment.Stop()
	select {
	case <-e.c.life.Ending().Done():
	case <-moment.C:
		e.c.life.Stop(err)
	}
}

// writeOne sends one packet, if there is one.
func (e *client) writeOne() (more bool, _ error) {
	b := &e.batch
	if !e.c.take(e.body, b) {
		return false, nil
	}
	e.ups++
	began, before := time.Now(), e.body
	err := e.persist(&e.body, func() error {
		if len(b.Packet) > e.body && len(b.Frames) > 1 { // it was too much
			e.c.flow.Return(e.c.tap, b)
			e.c.take(e.body, b)
		}
		return e.up(b.Packet)
	})
	if err != nil {
		e.c.tap.Lost(b)
		return false, err
	}
	if e.body < before {
		e.onCapped(e.body)
	}
	e.c.flow.Acknowledge(began)
	e.c.sent.Add(len(b.Packet))
	return true, nil
}
