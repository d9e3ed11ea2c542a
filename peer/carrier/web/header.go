package web

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/telepath-iot/telepath/peer/wire"
)

// The headers of section 6.7.
const (
	HeaderLink = "Telepath-Link"
	headerSeq  = "Telepath-Seq"
	headerMax  = "Telepath-Max"

	// headerAhead says of a packet that it may be taken before those before it; in the answer that opens a link, how far ahead
	// packets may come.
	headerAhead = "Telepath-Ahead"
)

// The paths below that of links.
const (
	pathStream = "/sse"
	pathPoll   = "/poll"
	pathUp     = "/up"
)

const streamType = "text/event-stream"

// minPacket is the smallest bound of a packet that anybody may ask for, in
// bytes. What lets less through is beyond help.
const minPacket = 1 << 10

// linkID names a link. Who knows it is its owner.
type linkID [16]byte

func newLinkID() (id linkID) {
	rand.Read(id[:]) // never fails since Go 1.24
	return id
}

func (id linkID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// strict accepts one spelling of each id.
var strict = base64.RawURLEncoding.Strict()

func parseLinkID(text string) (id linkID, ok bool) {
	if len(text) != strict.EncodedLen(len(id)) {
		return id, false
	}
	n, err := strict.Decode(id[:], []byte(text))
	return id, err == nil && n == len(id)
}

// parseSeq reads the number of a request or answer.
func parseSeq(h http.Header) (n uint64, ok bool) {
	n, err := strconv.ParseUint(h.Get(headerSeq), 10, 64)
	return n, err == nil && n >= 1 && n <= wire.MaxInt
}

// parseMax reads how long an answer may be.
func parseMax(h http.Header) (limit int, ok bool) {
	text := h.Get(headerMax)
	if text == "" {
		return wire.MaxPacket, true
	}
	n, err := strconv.ParseUint(text, 10, 32)
	return int(min(n, wire.MaxPacket)), err == nil && n >= minPacket
}

// parseAhead reads how far beyond the last packet before which none is missing others may come: where a server does not say, only
// the next one.
func parseAhead(h http.Header) uint64 {
	n, err := strconv.ParseUint(h.Get(headerAhead), 10, 16)
	if err != nil {
		return 1
	}
	return max(n, 1)
}

func setSeq(h http.Header, n uint64) { h.Set(headerSeq, strconv.FormatUint(n, 10)) }

// untouched asks whatever stands between to pass an answer on as it is, and at once.
func untouched(h http.Header) {
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx, and who follows it
}
