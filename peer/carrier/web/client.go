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
	http1     bool          // requests at the same time have connections of their own
	stream    io.ReadCloser // rung sse: the event stream
	first     []byte        // rung poll: the first answer

	// owned by the reader, by Dial before
	polls  uint64 // number of the newest poll
	answer int    // most bytes that an answer may have to get through

	uploads // owned by the writer, by Dial before
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
		transport: cfg.Transport, release: func() {}, answer: wire.MaxPacket,
	}
	e.uploads = newUploads(cfg.Body)
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
