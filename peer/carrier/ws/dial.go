package ws

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/coder/websocket"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// DialConfig says where to connect, and how.
type DialConfig struct {
	Config

	URL    string      // of the link: http, https, ws or wss
	Header http.Header // sent with the request: Authorization, Telepath-Open

	// TLS is the configuration for https and wss; nil: the system's roots.
	TLS *tls.Config

	// Client, if not nil, makes the request; then TLS is not used. Its
	// transport must speak HTTP/1.1. Default: a new one that takes proxies from
	// the environment.
	Client *http.Client
}

// Times of a dial, where its context does not end it before.
const (
	dialTime      = 10 * time.Second // for TCP
	handshakeTime = 10 * time.Second // for TLS
	dialKeepAlive = 15 * time.Second // of TCP: for middleboxes only, the link has its own
)

// Dial opens a link. The server's refusal is a *carrier.Refused.
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
		return nil, dialError(cfg.URL, answer, err)
	}
	if conn.Subprotocol() != Subprotocol {
		conn.CloseNow()
		return nil, fmt.Errorf("dial %s: the server does not speak %s: is this URL a telepath server?", cfg.URL, Subprotocol)
	}
	raw = bare(raw)
	tune(raw)
	return newCarrier(conn, raw, cfg.Config), nil
}

// client makes the HTTP client, and what frees it after a refusal.
func (cfg DialConfig) client() (client *http.Client, discard func()) {
	if cfg.Client != nil {
		return cfg.Client, func() {}
	}
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTime, KeepAlive: dialKeepAlive}).DialContext,
		TLSClientConfig:     http11(cfg.TLS),
		TLSHandshakeTimeout: handshakeTime,
	}
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

// dialError explains why there is no link. answer may be nil.
func dialError(url string, answer *http.Response, err error) error {
	if answer == nil || answer.StatusCode == http.StatusSwitchingProtocols {
		return fmt.Errorf("dial %s: %w", url, explain(err))
	}
	if refused := parseRefusal(answer); refused != nil {
		return fmt.Errorf("dial %s: %w", url, refused)
	}
	if to := answer.Header.Get("Location"); to != "" {
		return fmt.Errorf("dial %s: the server answered %s to %s: use that URL if you trust it", url, answer.Status, to)
	}
	return fmt.Errorf("dial %s: the server answered %s and is no telepath server, or something stands before it: check the URL", url, answer.Status)
}

// parseRefusal reads {"code","reason","remedy"} (protocol section 6.1), nil
// if the answer is none. The body was cut to 1 KiB by the dialer.
func parseRefusal(answer *http.Response) *carrier.Refused {
	var body struct{ Code, Reason, Remedy string }
	if answer.Body == nil {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || body.Code == "" {
		return nil
	}
	return &carrier.Refused{
		Status: answer.StatusCode, Code: wire.CodeByName(body.Code), Reason: body.Reason, Remedy: body.Remedy,
	}
}

var _ carrier.Carrier = (*Carrier)(nil)
