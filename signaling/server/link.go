package server

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/ws"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/room"
)

// signalRoom is how many signals may wait for a viewer: a list of as many
// devices as a room may know, 1 KiB each, and their descriptions.
var signalRoom = carrier.Depth{Bytes: 16 << 20, Frames: 4096}

// openRoom is the same for a device, which is told what viewers want of it: a thousand short opens, or a few hundred that bring
// offers. Half of it is read in 2 s on a link of 1 Mbit/s.
var openRoom = carrier.Depth{Bytes: 512 << 10, Frames: 1024}

// request is what a request for a link carries (section 6.1).
type request struct {
	token   string
	open    []byte // JSON of an open signal; nil: none
	browser bool   // it came in Sec-WebSocket-Protocol
}

// limits of the queue of a link.
func (p pass) limits() carrier.Limits {
	if p.role.Watches() {
		return carrier.Limits{carrier.LaneSignal: signalRoom}
	}
	return carrier.Limits{carrier.LaneSignal: openRoom}
}

// pass is what a checked request for a link may do.
type pass struct {
	role auth.Role
	open *openRequest // nil: none
	from string       // address, for people
	host string       // by which it reached this server
	hash []byte       // of the key of the certificate that it was shown
	udp  *uint16      // what its welcome says of the UDP port

	expires     time.Time // of its session; zero: never
	guest       bool      // it showed no token, and needed none
	intercepted bool      // something between opens its TLS, for sure
}

// serveLink checks a request for a link, upgrades it and serves it until it is over.
func (s *Server) serveLink(w http.ResponseWriter, r *http.Request) {
	p, problem := s.checkLink(r)
	if problem != nil {
		s.refuse(w, problem)
		return
	}
	if problem := upgradeLost(r); problem != nil {
		w.Header().Set("Upgrade", "websocket") // RFC 9110, section 15.5.22
		s.refuse(w, problem)
		return
	}
	link, err := ws.Accept(w, r, ws.Config{Limits: p.limits(), SpeaksFirst: true})
	if err != nil {
		s.cfg.Log.Debug("a link was not upgraded", "from", r.RemoteAddr, "err", err)
		return
	}
	s.serveCarrier(r.Context(), link, p)
}

// serveCarrier serves a link, whatever it is made of, until it is over.
func (s *Server) serveCarrier(ctx context.Context, link carrier.Carrier, p pass) {
	s.gate.carries(ctx) // not before: a request that needed no token may have been refused for another reason
	c := newClient(s, link, p.role, p.from)
	c.host, c.keyHash, c.udp, c.expires = p.host, p.hash, p.udp, p.expires
	if p.role == auth.Device {
		s.serveDevice(ctx, c)
		return
	}
	s.serveViewer(ctx, c, p)
}

// checkLink sees a request for a link through the gates.
func (s *Server) checkLink(r *http.Request) (pass, *refusal) {
	if problem := s.admit(r); problem != nil {
		return pass{}, problem
	}
	p, problem := s.checkToken(r)
	if s.gate.crowded(r) {
		return pass{}, crowded()
	}
	p.from, p.host, p.hash, p.udp, p.intercepted = r.RemoteAddr, r.Host, keyHash(r), s.toldUDP(r), intercepted(r)
	return p, problem
}

func crowded() *refusal {
	return &refusal{code: "too-many", reason: "too many connections are open, from this address or in total", remedy: "close some, or wait; where many people share an address, raise the server's --max-connections-per-address", again: time.Second}
}

// checkToken says who asks for a link, and what for.
func (s *Server) checkToken(r *http.Request) (pass, *refusal) {
	req, problem := readRequest(r)
	if problem != nil {
		return pass{}, problem
	}
	if req.browser && r.Header.Get("Origin") == "" {
		return pass{}, &refusal{code: "bad-origin", reason: "the request has neither Origin nor Authorization", remedy: "send Authorization: Bearer TOKEN"}
	}
	id, ok := s.identify(req.token)
	if !ok {
		return pass{}, &refusal{code: "unauthorized", reason: tokenProblem(req.token), remedy: "give the contents of the server's DIR/tokens/ROLE (--token-file), or log in again"}
	}
	guest := req.token == ""
	if !guest {
		s.gate.know(r)
	}
	open, problem := parseOpen(req.open)
	if problem == nil && open != nil && !id.Role.Watches() {
		problem = &refusal{code: "forbidden", reason: "the token is a device's, which publishes and cannot watch", remedy: "give the contents of the server's DIR/tokens/viewer (--token-file)"}
	}
	return pass{role: id.Role, open: open, expires: id.Expires, guest: guest}, problem
}

func tokenProblem(token string) string {
	if token == "" {
		return "a token is missing"
	}
	return "the token is not valid here, or has expired"
}

// readRequest takes token and open from headers, or from where a browser can put them.
func readRequest(r *http.Request) (request, *refusal) {
	req := request{token: bearer(r)}
	encoded := r.Header.Get("Telepath-Open")
	for _, element := range protocols(r) {
		if value, ok := strings.CutPrefix(element, "token."); ok {
			token, err := base64.RawURLEncoding.DecodeString(value)
			if err != nil {
				return req, badHeader("the token in Sec-WebSocket-Protocol is not base64url")
			}
			req.token, req.browser = string(token), true
		}
		if value, ok := strings.CutPrefix(element, "open."); ok {
			encoded = value
		}
	}
	if len(encoded) > wire.MaxOpenHeader*4/3+4 {
		return req, &refusal{code: "too-large", reason: "the open in the request is larger than 4 KiB", remedy: "send it as a signal after welcome"}
	}
	var err error
	if encoded != "" {
		if req.open, err = base64.RawURLEncoding.DecodeString(encoded); err != nil {
			return req, badHeader("the open in the request is not base64url")
		}
	}
	return req, nil
}

func protocols(r *http.Request) (elements []string) {
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for element := range strings.SplitSeq(header, ",") {
			elements = append(elements, strings.TrimSpace(element))
		}
	}
	return elements
}

func badHeader(reason string) *refusal {
	return &refusal{code: "malformed", reason: reason, remedy: "see docs/protocol.md, section 6.1"}
}

// openRequest is the open that rode in a request.
type openRequest struct {
	message signal.Message
	body    []byte
}

func parseOpen(body []byte) (*openRequest, *refusal) {
	if body == nil {
		return nil, nil
	}
	m, err := signal.Parse(body)
	if err != nil {
		return nil, badHeader("the open in the request: " + err.Error())
	}
	if m.Type != signal.Open {
		return nil, badHeader("the signal in the request is not an open")
	}
	return &openRequest{m, body}, nil
}

// end sends a refusal that ends a link, and closes it.
func (c *client) end(no *room.Refusal) {
	c.server.counts.refused(no.Code)
	room.Tell(c, 0, no.Message(signal.Refuse))
	c.Close(no.WireCode(), no.Reason)
}

func nowMicros() uint64 { return uint64(max(time.Now().UnixMicro(), 0)) }
