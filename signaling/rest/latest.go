package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/room"
)

// maxGlobs in a request, as in an open.
const maxGlobs = 64

// ServeLatest shows what is retained of the device {name}. Whose token allows
// it was checked before. A refusal was not answered yet.
func (r *Rest) ServeLatest(w http.ResponseWriter, req *http.Request) *room.Refusal {
	want, no := readGlobs(req)
	if no != nil {
		return no
	}
	format, no := readFormat(req)
	if no != nil {
		return no
	}
	latest, no := r.cfg.Room.Latest(req.PathValue("name"), want)
	if no != nil {
		return no
	}
	p := picture(latest, time.Now())
	h := w.Header()
	h.Set("ETag", tag(format, p))
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept")
	if matches(req.Header.Values("If-None-Match"), h.Get("ETag")) {
		r.counts.unchanged.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	r.counts.shown.Add(1)
	h.Set("Content-Type", format.media)
	_, _ = w.Write(format.write(p)) // an error here is the client's going away
	return nil
}

func readGlobs(req *http.Request) ([]string, *room.Refusal) {
	want := req.URL.Query()["stream"]
	if len(want) > maxGlobs {
		return nil, malformed(fmt.Sprintf("%d stream globs, more than %d", len(want), maxGlobs))
	}
	for _, glob := range want {
		if len(glob) > wire.MaxStreamName {
			return nil, malformed(fmt.Sprintf("a stream glob of %d bytes, more than %d", len(glob), wire.MaxStreamName))
		}
	}
	return want, nil
}

// format is how the latest is shown.
type format struct {
	media string
	write func(view) []byte
}

var (
	asJSON = format{"application/json", view.json}
	asText = format{"text/plain; charset=utf-8", view.text}
)

// readFormat looks at ?format, then at the first of our media types in Accept.
func readFormat(req *http.Request) (format, *room.Refusal) {
	switch name := req.URL.Query().Get("format"); name {
	case "json":
		return asJSON, nil
	case "text":
		return asText, nil
	case "":
	default:
		return format{}, malformed(fmt.Sprintf("there is no format %.32q: there are json and text", name))
	}
	for accepted := range strings.SplitSeq(strings.Join(req.Header.Values("Accept"), ","), ",") {
		media, _, _ := strings.Cut(accepted, ";")
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "text/plain":
			return asText, nil
		case "application/json", "*/*":
			return asJSON, nil
		}
	}
	return asJSON, nil
}

// tag names what is shown, ages aside, which change while nothing else does:
// so it is a weak one (RFC 9110, section 8.8.1).
func tag(f format, v view) string {
	sum := sha256.Sum256(append([]byte(f.media), f.write(v.ageless())...))
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// matches compares weakly, as If-None-Match does (RFC 9110, section 13.1.2).
func matches(headers []string, tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	for candidate := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == opaque {
			return true
		}
	}
	return false
}
