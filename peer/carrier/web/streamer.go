package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// streamer writes a link's event stream, in the goroutine of its request.
type streamer struct {
	*host
	out      http.ResponseWriter
	watchdog *time.Timer // runs while something is written
	batch    carrier.Batch
	event    []byte

	mu      sync.Mutex
	control *http.ResponseController // guarded by mu: nil when the request is over
}

func newStreamer(cfg Config, w http.ResponseWriter) *streamer {
	st := &streamer{host: newHost(ladder.SSE, cfg), out: w, control: http.NewResponseController(w)}
	st.c.flow = carrier.NewFlow()
	st.abort = st.cut
	st.watchdog = time.AfterFunc(st.c.cfg.Timeout, st.choke)
	st.watchdog.Stop()
	st.begin()
	return st
}

// write writes the event stream until the link is over. The end of the
// request is the end of the link.
func (st *streamer) write(w http.ResponseWriter, r *http.Request) {
	defer st.leave()
	defer st.release()
	watched := context.AfterFunc(r.Context(), func() {
		st.c.life.Stop(carrier.Fail("cut", "the client closed the event stream", nil))
	})
	defer watched()
	err := st.start(w.Header())
	for err == nil && !st.c.life.Ends() {
		var more bool
		if more, err = st.writeOne(st.c.take); more || err != nil {
			continue
		}
		if st.c.flow.Await(st.c.tap, st.c.life.Ending().Done(), st.c.cfg.Timeout) != nil {
			st.choke()
		}
	}
	if err != nil {
		st.c.life.Stop(carrier.Fail("cut", err.Error(), err))
	}
	st.goodbye()
}

// start answers the request, at once: the client waits for it. Packets wait
// until the link is served, so that what is said first goes together.
func (st *streamer) start(h http.Header) error {
	// The server's bounds are for requests that end.
	_ = st.control.SetReadDeadline(time.Time{})
	_ = st.control.SetWriteDeadline(time.Time{})
	h.Set("Content-Type", streamType)
	h.Set(headerAhead, strconv.Itoa(maxAhead))
	untouched(h)
	if err := st.put([]byte(comment)); err != nil {
		return err
	}
	select {
	case <-st.running:
	case <-st.c.life.Ending().Done():
	}
	return nil
}

// writeOne writes one packet, if take has one.
func (st *streamer) writeOne(take func(limit int, b *carrier.Batch) bool) (more bool, _ error) {
	if !take(coalesce, &st.batch) {
		return false, nil
	}
	st.event = appendEvent(st.event[:0], st.batch.Packet)
	if err := st.put(st.event); err != nil {
		st.c.tap.Lost(&st.batch)
		return false, err
	}
	st.c.sent.Add(len(st.batch.Packet))
	return true, nil
}

// put writes text under the eyes of the watchdog.
func (st *streamer) put(text []byte) error {
	st.watchdog.Reset(st.c.cfg.Timeout)
	defer st.watchdog.Stop()
	if _, err := st.out.Write(text); err != nil {
		return err
	}
	return st.control.Flush()
}

// goodbye sends what is queued and says why the link ends, where that is ours
// to say.
func (st *streamer) goodbye() {
	bye := carrier.EndPacket(st.c.life.Cause())
	if bye == nil {
		return
	}
	for more, err := true, error(nil); more && !st.hurried.Load(); {
		if more, err = st.writeOne(st.c.takeAll); err != nil {
			return
		}
	}
	_ = st.put(appendEvent(nil, bye)) // the other end will notice, if later
}

// choke is the watchdog's bite.
func (st *streamer) choke() {
	st.c.life.Stop(fmt.Errorf("the other end took nothing for %v", st.c.cfg.Timeout))
	st.cut()
}

// cut ends what is being written.
func (st *streamer) cut() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.control != nil {
		_ = st.control.SetWriteDeadline(time.Now())
	}
}

// release lets go of the request's answer, which is about to end.
func (st *streamer) release() {
	st.watchdog.Stop()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.control = nil
}
