package netcheck

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// nowhere is a path that no server of ours has: the answer says that one is
// there, and needs no token.
const nowhere = "/v1/netcheck"

// unknownPath is the code of that answer.
const unknownPath = "unknown-path"

// maxAnswer bounds what is read of it, in bytes.
const maxAnswer = 4 << 10

func (s *survey) checkHTTP1(ctx context.Context) Check { return s.ask(ctx, s.transport(true, false)) }

func (s *survey) checkHTTP2(ctx context.Context) Check {
	switch {
	case !s.secure():
		return unknown("the URL is http://: HTTP/2 needs TLS", "")
	case s.shown.NegotiatedProtocol != "h2":
		return unknown("the server does not offer it", "")
	}
	c := s.ask(ctx, s.transport(false, true))
	if c.Verdict == Failed && wire.CodeByName(c.Failure).Name != c.Failure { // no answer of the server's
		return failed(c.Took, carrier.Fail("http2-broken", c.Reason+": "+c.Detail, nil))
	}
	return c
}

// ask finds out whether a telepath server answers.
func (s *survey) ask(ctx context.Context, transport *http.Transport) Check {
	defer transport.CloseIdleConnections()
	began := time.Now()
	sent := began
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent = time.Now() }, // called by RoundTrip itself
	})
	r, err := http.NewRequestWithContext(traced, http.MethodGet, s.url.String()+nowhere, http.NoBody)
	if err != nil {
		return failed(0, err)
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return failed(time.Since(began), err)
	}
	defer answer.Body.Close()
	heard := time.Now()
	took := heard.Sub(sent)
	if err := judge(answer); err != nil {
		return failed(took, err)
	}
	s.timeFromDate(answer.Header.Get("Date"), sent, heard)
	return ok(took, "a telepath server answers over "+answer.Proto)
}

// wantsTLS is what servers say to plain HTTP where they speak TLS: Go's and nginx'.
var wantsTLS = regexp.MustCompile(`(?i)HTTP request (was sent )?to (an )?HTTPS (server|port)`)

// judge says what is wrong with an answer. nil: the server has said that there
// is nothing at that path.
func judge(answer *http.Response) error {
	var body struct{ Code, Reason, Remedy string }
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	switch {
	case err == nil && body.Code == unknownPath:
		return nil
	case err == nil && wire.CodeByName(body.Code).Name == body.Code:
		return &carrier.Refused{Status: answer.StatusCode, Code: wire.CodeByName(body.Code), Reason: body.Reason, Remedy: body.Remedy}
	}
	seen := "the answer is " + answer.Status
	if answer.StatusCode == http.StatusBadRequest && wantsTLS.Match(text) {
		return carrier.Fail("tls-failed", "this port speaks TLS: use https://", nil)
	}
	if to := answer.Header.Get("Location"); to != "" {
		seen += " to " + to[:min(len(to), 200)] + ": use that URL if you trust it"
	}
	return carrier.Fail("not-telepath", seen, nil)
}
