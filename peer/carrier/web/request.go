package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// request sends a request and returns the answer's beginning.
func (e *client) request(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	var content io.Reader // not a nil *bytes.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, e.base+path, content)
	if err != nil {
		return nil, err
	}
	if header != nil {
		maps.Copy(r.Header, header)
	}
	r.Header.Set(HeaderLink, e.id)
	if path != pathUp { // whose answer is empty: there is nothing to store or to pack
		r.Header.Set("Cache-Control", "no-store")
		r.Header.Set("Accept-Encoding", "identity") // who packs a stream holds it back
	}
	return e.transport.RoundTrip(r)
}

// up posts a packet under a number. ahead: it may be taken before those before it.
func (e *client) up(n uint64, ahead bool, packet []byte) error {
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	setSeq(header, n)
	if ahead {
		header.Set(headerAhead, "1")
	}
	return e.exchange(pathUp, header, packet, func(answer *http.Response) error {
		if answer.StatusCode != http.StatusNoContent {
			return answerError(answer, len(packet))
		}
		return nil
	})
}

// poll asks for the answer e.polls, which it reads into buf.
func (e *client) poll(header http.Header, buf []byte) (packet []byte, err error) {
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	setSeq(header, e.polls)
	if e.answer < wire.MaxPacket {
		header.Set(headerMax, strconv.Itoa(e.answer))
	}
	err = e.exchange(pathPoll, header, nil, func(answer *http.Response) error {
		if n, ok := parseSeq(answer.Header); answer.StatusCode != http.StatusOK || !ok || n != e.polls {
			return answerError(answer, e.answer)
		}
		if e.polls == 1 {
			e.learn(answer)
		}
		if packet, err = readBody(answer.Body, buf); err != nil {
			return &trouble{kind: brokenOff, size: e.answer, seen: "an answer broke off", cause: err}
		}
		return nil
	})
	return packet, err
}

// exchange posts a request and has its answer read, in bounded time.
func (e *client) exchange(path string, header http.Header, body []byte, read func(*http.Response) error) error {
	ctx, done := context.WithTimeout(e.life, e.c.cfg.Timeout)
	defer done()
	answer, err := e.request(ctx, http.MethodPost, path, header, body)
	if err == nil {
		defer discard(answer)
		err = read(answer)
	}
	if ctx.Err() != nil && e.life.Err() == nil {
		return carrier.Fail("cut", fmt.Sprintf("no answer within %v", e.c.cfg.Timeout), err)
	}
	return err
}

// discard frees an answer. What is left of it must be little, or the
// connection is not worth keeping.
func discard(answer *http.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, carrier.MaxRefusal)
	answer.Body.Close()
}

const (
	// maxRepeats is how often a request is sent again that was cut.
	maxRepeats = 2
	// repeatPause lets what broke a connection pass by.
	repeatPause = 50 * time.Millisecond
)

// persist repeats a numbered request that got lost, and makes do with smaller
// ones where something between lets no large ones through: limit says how
// large, and is lowered.
func (e *client) persist(limit *int, ask func() error) error {
	for cuts := 0; ; {
		err := ask()
		var t *trouble
		switch {
		case err == nil || e.life.Err() != nil || final(err):
			return closing(err)
		case errors.As(err, &t) && t.forSize(cuts):
			if *limit <= minPacket {
				return carrier.Fail("body-capped", t.seen, err)
			}
			*limit = max(min(*limit, t.size)/2, minPacket)
		case cuts == maxRepeats:
			return carrier.Fail("cut", err.Error(), err)
		default:
			cuts++
			e.pause()
		}
	}
}

// final reports whether asking again is of no use.
func final(err error) bool {
	var refused *carrier.Refused
	var failure *carrier.Failure
	return errors.As(err, &refused) || errors.As(err, &failure)
}

// closing is err once the link is open: a refusal then is the server's end of it.
func closing(err error) error {
	var refused *carrier.Refused
	if errors.As(err, &refused) {
		return &carrier.CloseError{Code: refused.Code, Reason: refused.Reason, Remote: true}
	}
	return err
}

func (e *client) pause() {
	pause := time.NewTimer(repeatPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-e.life.Done():
	}
}
