// Package signal has the JSON messages of Signal frames (docs/protocol.md,
// section 6): what links and Conns say to one another beside the data.
//
// All messages are idempotent: who hears one twice is where it was.
package signal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/telepath-iot/telepath/peer/wire"
)

// The values of Message.Type; section 6 says who sends which to whom.
const (
	Challenge = "challenge"
	Hello     = "hello"
	Welcome   = "welcome"
	Refuse    = "refuse"
	Watch     = "watch"
	Devices   = "devices"
	Open      = "open"
	Opened    = "opened"
	Refused   = "refused"
	Accept    = "accept"
	Describe  = "describe"
	Offer     = "offer"
	Answer    = "answer"
	Candidate = "candidate"
	RetryRTC  = "retry"
	Route     = "route"
	Away      = "away"
	State     = "state"
	Close     = "close"
	Bye       = "bye"
	Servers   = "servers"
	History   = "history"
	End       = "end" // of a link over HTTP, where a WebSocket has its close frame
)

// Message is any signal: the members that its Type uses are set. One struct
// for all keeps the table of section 6 in one place and decoding in one step.
type Message struct {
	Type string `json:"type"`

	// Links.
	Nonce       Bytes             `json:"nonce,omitempty"`
	Server      string            `json:"server,omitempty"`
	TLS         Bytes             `json:"tls,omitempty"` // SHA-256 of the server certificate's public key
	Intercepted bool              `json:"intercepted,omitempty"`
	Role        string            `json:"role,omitempty"`
	GoodMS      uint64            `json:"good_ms,omitempty"` // of Role; 0: without end
	Time        uint64            `json:"time,omitempty"`    // µs
	Key         Bytes             `json:"key,omitempty"`
	Name        string            `json:"name,omitempty"`
	Sig         Bytes             `json:"sig,omitempty"`
	KeepAliveMS uint64            `json:"keep_alive_ms,omitempty"`
	Agent       string            `json:"agent,omitempty"`
	Facts       map[string]string `json:"facts,omitempty"`
	Wills       []Will            `json:"wills,omitempty"`
	Hellos      uint64            `json:"hellos,omitempty"` // that the device has said in this Epoch, with this one
	Session     uint64            `json:"session,omitempty"`
	UDP         *uint16           `json:"udp,omitempty"` // in welcome: the server's port for ICE and TURN; 0: none

	// Refusals.
	Code       string   `json:"code,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Remedy     string   `json:"remedy,omitempty"`
	Candidates []Device `json:"candidates,omitempty"`

	// Presence. Device holds a JSON string (name or id, in open and welcome) or a Device object.
	Full    bool            `json:"full,omitempty"`
	Devices []Device        `json:"devices,omitempty"`
	Device  json.RawMessage `json:"device,omitempty"`

	// Conns.
	ID        string            `json:"id,omitempty"`
	Want      []string          `json:"want,omitempty"`
	From      string            `json:"from,omitempty"`
	Positions map[uint32]string `json:"positions,omitempty"`
	Epoch     string            `json:"epoch,omitempty"`
	Revision  uint64            `json:"revision,omitempty"` // of the descriptions in this Epoch: that who says it has all of them up to it, or with this describe
	Now       uint64            `json:"now,omitempty"`      // µs
	Streams   []Stream          `json:"-"`                  // of describe
	Routed    []uint32          `json:"-"`                  // of route and history
	On        bool              `json:"on,omitempty"`
	Final     map[uint32]string `json:"final,omitempty"`
	Relayed   bool              `json:"relayed,omitempty"`  // in accept: there are no direct paths to this device
	History   bool              `json:"history,omitempty"`  // in accept: the device keeps a spool
	Transfer  string            `json:"transfer,omitempty"` // in history: 8 hex digits
	SinceMS   uint64            `json:"since_ms,omitempty"` // in history: how far back; 0: as far as it goes
	Done      bool              `json:"done,omitempty"`     // in history: that was all
	Servers   []Server          `json:"servers,omitempty"`  // in opened, and in open on its way to the device

	// Data-channel connections.
	Offer     *SDP   `json:"offer,omitempty"`
	Attempt   uint64 `json:"attempt,omitempty"`
	SDP       string `json:"sdp,omitempty"`
	Candidate string `json:"candidate,omitempty"`
	Turned    bool   `json:"turned,omitempty"` // in offer and retry: the turned kind of connection; in accept: the device can make those
	Mid       string `json:"mid,omitempty"`
}

// SDP is an offer inside an open.
type SDP struct {
	Attempt uint64 `json:"attempt"`
	SDP     string `json:"sdp"`
}

// Server is a TURN server that this Conn may use for its data-channel connections, with the names of W3C's RTCIceServer. Its
// credentials are good for one Conn, until they expire.
type Server struct {
	URLs       []string `json:"urls"` // RFC 7065, such as turn:HOST:PORT?transport=udp
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
	Expires    uint64   `json:"expires"` // Unix seconds
}

// Will is a complete Data frame (type, hop and body without the length), to be published when its device is cut.
type Will struct {
	Frame Bytes `json:"frame"`
}

// Device is what presence says of one device.
type Device struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	State   string            `json:"state"`              // live, reachable or offline
	Since   float64           `json:"since"`              // Unix seconds
	HeardMS uint64            `json:"heard_ms,omitempty"` // ms since it was last heard
	GraceMS uint64            `json:"grace_ms,omitempty"` // of one that is offline: for so long it may still come back by itself
	AheadMS int64             `json:"ahead_ms,omitempty"` // of a clock that is wrong: how far it is ahead of the server's; negative: behind
	Session uint64            `json:"session,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`
}

// The states of a device (section 6.5).
const (
	StateLive      = "live"
	StateReachable = "reachable"
	StateOffline   = "offline"
)

// Stream describes one stream (section 6.3).
type Stream struct {
	ID         uint32          `json:"id"`
	Name       string          `json:"name"`
	Class      string          `json:"class"`
	DeadlineMS uint64          `json:"deadline_ms,omitempty"`
	Meta       json.RawMessage `json:"meta,omitempty"`
	Start      string          `json:"start,omitempty"` // EPOCH:SEQ
}

// Bytes is base64url without padding in JSON.
type Bytes []byte

// MarshalJSON implements json.Marshaler.
func (b Bytes) MarshalJSON() ([]byte, error) {
	return json.Marshal(base64.RawURLEncoding.EncodeToString(b))
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	*b = decoded
	return err
}

// message breaks the recursion of the JSON methods.
type message Message

// "streams" is a list of descriptions in describe and of numbers in route.
type described struct {
	message
	Streams []Stream `json:"streams"`
}

type routed struct {
	message
	Streams []uint32 `json:"streams"`
}

// Append appends the message's JSON to b. A message made here always encodes;
// one that does not is a mistake in the program and yields an error.
func (m Message) Append(b []byte) ([]byte, error) {
	var data []byte
	var err error
	switch m.Type {
	case Describe:
		data, err = json.Marshal(described{message(m), listed(m.Streams)})
	case Route, History:
		data, err = json.Marshal(routed{message(m), listed(m.Routed)})
	default:
		data, err = json.Marshal(message(m))
	}
	if err != nil {
		return b, fmt.Errorf("encode signal %s: %w", m.Type, err)
	}
	return append(b, data...), nil
}

// listed is never null in JSON: an empty list is a list, to strict readers.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Parse reads the body of a Signal frame. The error is worded for who sent it.
func Parse(body []byte) (Message, error) {
	if len(body) > wire.MaxSignal {
		return Message{}, fmt.Errorf("signal of %d bytes, more than %d", len(body), wire.MaxSignal)
	}
	if wire.Depth(body) > wire.MaxDepth {
		return Message{}, fmt.Errorf("signal nested deeper than %d", wire.MaxDepth)
	}
	kind, err := typeOf(body)
	if err != nil {
		return Message{}, err
	}
	var m Message
	switch kind {
	case "":
		err = fmt.Errorf("signal without a type")
	case Describe:
		var d described
		err = json.Unmarshal(body, &d)
		m = Message(d.message)
		m.Streams = d.Streams
	case Route, History:
		var d routed
		err = json.Unmarshal(body, &d)
		m = Message(d.message)
		m.Routed = d.Streams
	default:
		err = json.Unmarshal(body, (*message)(&m))
	}
	if err != nil {
		return Message{}, fmt.Errorf("signal %.32q: %w", kind, err)
	}
	return m, nil
}

// typeOf reads the type, by which is decided what is done with a signal, and who may say it. encoding/json takes a "Type" for it
// as well, where browsers read exact names: a body that two readers may take for two signals is none.
func typeOf(body []byte) (string, error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return "", fmt.Errorf("signal is not a JSON object with a type: %w", err)
	}
	times, exactly := 0, 0
	for name := range names(body) {
		if strings.EqualFold(name, "type") {
			times++
		}
		if name == "type" {
			exactly++
		}
	}
	if times > 1 || exactly != times {
		return "", fmt.Errorf("signal with a type that comes twice, or in other letters than \"type\"")
	}
	return head.Type, nil
}

// names are those at the top of an object that was parsed before.
func names(body []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		d := json.NewDecoder(bytes.NewReader(body))
		var value json.RawMessage
		for _, err := d.Token(); err == nil && d.More(); err = d.Decode(&value) {
			name, _ := d.Token()
			if text, ok := name.(string); !ok || !yield(text) {
				return
			}
		}
	}
}
