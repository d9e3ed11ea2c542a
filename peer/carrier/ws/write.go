package ws

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/telepath-iot/telepath/peer/carrier"
)

// maxReason is the length of a close frame's reason, in bytes (RFC 6455,
// section 5.5: a control frame has 125, two of them for the code).
const maxReason = 123

// write sends what is queued until the carrier is ending, then hangs up.
func (c *Carrier) write() {
	if err := c.writeQueued(); err != nil {
		c.awaitReader(err)
	}
	c.finish()
}

// writeQueued sends until the carrier is ending, each packet under the eyes
// of the watchdog.
func (c *Carrier) writeQueued() error {
	for !c.life.Ends() {
		more, err := c.writeWatched()
		switch {
		case err != nil:
			return err
		case more:
			continue
		}
		if c.flow.Await(c.tap, c.life.Ending().Done(), c.cfg.WriteTimeout) != nil {
			c.choke()
		}
	}
	return nil
}

// writeWatched sends one packet, if there is one, under the eyes of the
// watchdog.
func (c *Carrier) writeWatched() (more bool, _ error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.watchdog.Reset(c.cfg.WriteTimeout)
	defer c.watchdog.Stop()
	return c.writeOne(&c.batch)
}

// writeEagerly sends what waits in the caller's goroutine, where that cannot
// block: nobody else is writing, it is little, and the kernel has room for it,
// which need not be asked where little is under way.
// Handing it to the writer would cost its wake-up, some 10 µs a hop. It
// reports whether nothing is left for the writer.
func (c *Carrier) writeEagerly() bool {
	if c.tap.Pending().Bytes > eagerBytes || !c.writing.TryLock() {
		return false
	}
	defer c.writing.Unlock()
	if c.life.Ends() || c.tap.Pending().Bytes > eagerBytes || c.flow.UnderWay() > roomyBytes && !writable(c.raw) {
		return false
	}
	c.watchdog.Reset(c.cfg.WriteTimeout)
	defer c.watchdog.Stop()
	_, err := c.writeOne(&c.batch)
	return err == nil && c.tap.Pending().Frames == 0
}

// choke is the watchdog's bite.
func (c *Carrier) choke() {
	c.life.Stop(fmt.Errorf("the other end took nothing for %v", c.cfg.WriteTimeout))
	c.raw.Close()
}

// awaitReader gives the reader a moment to find out why writing failed: the
// other end's reason may be among what it has not read yet.
func (c *Carrier) awaitReader(err error) {
	moment := time.NewTimer(closeTime)
	defer moment.Stop()
	select {
	case <-c.life.Ending().Done():
	case <-moment.C:
		c.life.Stop(fmt.Errorf("write to the connection: %w", err))
	}
}

// writeOne sends one packet, if there is one that may go now. It needs c.writing.
func (c *Carrier) writeOne(b *carrier.Batch) (more bool, _ error) {
	if !c.flow.Take(c.tap, coalesce, b) {
		return false, nil
	}
	return true, c.writeBatch(b)
}

// writeBatch writes b as one message. It needs c.writing.
func (c *Carrier) writeBatch(b *carrier.Batch) error {
	if err := c.conn.Write(context.Background(), websocket.MessageBinary, b.Packet); err != nil {
		c.tap.Lost(b)
		return err
	}
	c.sent.Add(len(b.Packet))
	return nil
}

// finish hangs up: politely where we want to end, at once where the
// connection is broken or the other end has ended it. The guillotine bounds it.
func (c *Carrier) finish() {
	defer c.conn.CloseNow()
	defer c.raw.Close()
	status, reason, ours := c.farewell()
	if !ours {
		return
	}
	c.flush()
	c.conn.Close(status, reason)
}

// flush sends what is queued, for as long as carrier.FlushTime: nobody waits
// for acknowledgements any more.
func (c *Carrier) flush() {
	c.writing.Lock()
	defer c.writing.Unlock()
	for begin := time.Now(); time.Since(begin) < carrier.FlushTime && c.tap.Take(coalesce, &c.batch); {
		if c.writeBatch(&c.batch) != nil {
			return
		}
	}
}

// farewell is what the close frame says; ours is false where nothing can or
// need be said.
func (c *Carrier) farewell() (status websocket.StatusCode, reason string, ours bool) {
	switch cause := c.life.Cause().(type) {
	case *carrier.CloseError:
		return websocket.StatusCode(cause.Code.CloseCode()), clip(cause.Reason, maxReason), !cause.Remote
	case carrier.Left:
		return websocket.StatusGoingAway, "", true
	default:
		return 0, "", false
	}
}

// clip shortens text to at most limit bytes, between characters.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
