package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/room"
)

// Bounds of a keep alive that a post may ask for. A script that posts once a
// minute keeps its device there without asking.
const (
	defaultKeepAlive = time.Minute
	minKeepAlive     = time.Second
	maxKeepAlive     = time.Hour
)

// keepAliveHeader says the same as ?keep_alive.
const keepAliveHeader = "Telepath-Keep-Alive"

// maxKey of an Idempotency-Key, in bytes.
const maxKey = 255

// post is a request to publish.
type post struct {
	device    string
	key       string // Idempotency-Key; empty: none
	keepAlive time.Duration
	body      []byte
}

// ServeSamples takes what is posted for the device {name}. Whose token allows
// it was checked before. A refusal was not answered yet.
func (r *Rest) ServeSamples(w http.ResponseWriter, req *http.Request) *room.Refusal {
	p, no := readPost(req)
	if no != nil {
		return no
	}
	leave, no := r.places.enter(req.Context(), r.sender(req, p.device))
	if no != nil {
		return no
	}
	defer leave()
	if p.body, no = readBody(w, req); no != nil {
		return no
	}
	reply, no := r.once(req.Context(), p)
	if no != nil {
		return no
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(reply.status)
	_, _ = w.Write(reply.body) // an error here is the client's going away
	return nil
}

// sender is whose places a post for a device has: its network's, if that is told.
func (r *Rest) sender(req *http.Request, device string) sender {
	if network := r.cfg.Network(req); network.IsValid() {
		return sender{network: network}
	}
	return sender{name: device}
}

func readPost(req *http.Request) (p post, no *room.Refusal) {
	p.device = req.PathValue("name")
	if err := wire.CheckName(p.device, wire.MaxDeviceName); err != nil {
		return p, malformed("device name: " + err.Error())
	}
	p.key = req.Header.Get("Idempotency-Key")
	if len(p.key) > maxKey {
		return p, malformed(fmt.Sprintf("the Idempotency-Key has more than %d bytes", maxKey))
	}
	if encoding := req.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return p, malformed(fmt.Sprintf("the body's Content-Encoding is %.32q, and only plain bodies are taken", encoding))
	}
	p.keepAlive, no = readKeepAlive(req)
	return p, no
}

// readKeepAlive reads a duration, or a number of seconds.
func readKeepAlive(req *http.Request) (time.Duration, *room.Refusal) {
	text := req.URL.Query().Get("keep_alive")
	if text == "" {
		text = strings.TrimSpace(req.Header.Get(keepAliveHeader))
	}
	if text == "" {
		return defaultKeepAlive, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < minKeepAlive || d > maxKeepAlive {
		return 0, malformed(fmt.Sprintf("the keep alive %.32q is not a duration between %v and %v, such as 60s", text, minKeepAlive, maxKeepAlive))
	}
	return d, nil
}

func readBody(w http.ResponseWriter, req *http.Request) ([]byte, *room.Refusal) {
	large := &room.Refusal{Code: "too-large", Reason: fmt.Sprintf("the body has more than %d bytes", maxBody), Remedy: "post it in several parts"}
	if req.ContentLength > maxBody {
		return nil, large
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, large
	case err != nil:
		return nil, &room.Refusal{Code: "timeout", Reason: "the body broke off: " + err.Error(), Remedy: "post it again"}
	}
	return body, nil
}

// once takes a post, unless one with its key was taken already: that one's
// reply is the answer then.
func (r *Rest) once(ctx context.Context, p post) (reply, *room.Refusal) {
	if p.key == "" {
		return r.take(ctx, p)
	}
	a, mine, no := r.answers.begin(ctx, p.device, p.key, time.Now())
	switch {
	case no != nil:
		return reply{}, no
	case !mine:
		r.counts.repeated.Add(1)
		return a.reply, nil
	}
	got, no := r.take(ctx, p)
	r.answers.finish(a, got, no == nil)
	return got, no
}

// take publishes what a post says and is right, and tells what was taken and
// what was wrong.
func (r *Rest) take(ctx context.Context, p post) (reply, *room.Refusal) {
	now := time.Now()
	parsed := r.parse(p.body, now)
	if parsed.empty() {
		return r.rejected(parsed.refused), nil
	}
	d, no := r.device(ctx, p.device)
	if no != nil {
		return reply{}, no
	}
	defer d.done(p.keepAlive)
	if no := d.linked(ctx); no != nil {
		return reply{}, no
	}
	r.cfg.Room.Heard(d.host.ID(), now)
	return d.publish(ctx, parsed)
}
