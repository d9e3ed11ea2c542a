package ws

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/tunnel"
)

// DialConfig says where to connect, and how.
type DialConfig struct {
	Config

	URL    string      // of the link: http, https, ws or wss
	Header http.Header // sent with the request: Authorization, Telepath-Open

	// TLS is the configuration for https and wss; nil: the system's roots.
	TLS *tls.Config

	// DialContext makes the TCP connection, through a proxy if need be. Default:
	// that of package tunnel, which takes proxies from the environment.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// handshakeTime is for TLS, where the context does not end a dial before.
const handshakeTime = 10 * time.Second

// Dial opens a link. The server's refusal is a *carrier.Refused, all other
// trouble a *carrier.Failure.
func Dial(ctx context.Context, cfg DialConfig) (*Carrier, error) {
	client, discard := cfg.client()
	var raw net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { raw = info.Conn },
	})
	conn, answer, err := websocket.Dial(ctx, cfg.URL, &websocket.DialOptions{
		HTTPClient:      client,
		HTTPHeader:      cfg.Header,
		Subprotocols:    []string{Subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		discard()
		return nil, fmt.Errorf("dial %s: %w", cfg.URL, dialError(raw != nil, answer, err))
	}
	if conn.Subprotocol() != Subprotocol {
		conn.CloseNow()
		return nil, fmt.Errorf("dial %s: %w", cfg.URL, carrier.Fail("not-telepath", "it speaks WebSocket, but not "+Subprotocol, nil))
	}
	raw = bare(raw)
	tune(raw)
	return newCarrier(conn, raw, cfg.Config), nil
}

// client makes the HTTP client, and what frees it after a refusal.
func (cfg DialConfig) client() (client *http.Client, discard func()) {
	dial := cfg.DialContext
	if dial == nil {
		scheme, _, _ := strings.Cut(cfg.URL, ":")
		dial = tunnel.New(tunnel.Config{Scheme: scheme}).DialContext
	}
	t := &http.Transport{DialContext: dial, TLSClientConfig: http11(cfg.TLS), TLSHandshakeTimeout: handshakeTime, DisableCompression: true}
	return &http.Client{Transport: t, CheckRedirect: stay}, t.CloseIdleConnections
}

// http11 is base, speaking HTTP/1.1 only: the upgrade is not in HTTP/2.
func http11(base *tls.Config) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if base != nil {
		cfg = base.Clone()
	}
	cfg.NextProtos = []string{"http/1.1"}
	return cfg
}

// stay follows no redirect: the token would go to whoever it names.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// dialError names why there is no link. answer may be nil.
func dialError(connected bool, answer *http.Response, err error) error {
	if answer == nil {
		f := carrier.Explain(err)
		if connected && f.Name == "timeout" {
			f = carrier.Fail("upgrade-stalled", "no answer to the request for it", err)
		}
		return f
	}
	if refused := carrier.ReadRefusal(answer); refused != nil {
		if refused.Code.Name == "no-upgrade" {
			return carrier.Fail("upgrade-refused", "the server got the request without it", nil)
		}
		return refused
	}
	return wrongAnswer(answer)
}

// wrongAnswer names an answer that is no refusal of the server's.
func wrongAnswer(answer *http.Response) *carrier.Failure {
	to := answer.Header.Get("Location")
	switch {
	case answer.StatusCode == http.StatusSwitchingProtocols:
		return carrier.Fail("upgrade-refused", "the answer agrees to it in other words", nil)
	case answer.StatusCode == http.StatusUpgradeRequired:
		return carrier.Fail("upgrade-refused", "the answer is "+answer.Status, nil)
	case to != "":
		return carrier.Fail("not-telepath", fmt.Sprintf("the answer is %s to %.200s: use that URL if you trust it", answer.Status, to), nil)
	}
	return carrier.Fail("not-telepath", "the answer is "+answer.Status, nil)
}

var _ carrier.Carrier = (*Carrier)(nil)
