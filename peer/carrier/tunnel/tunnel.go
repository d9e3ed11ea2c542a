// Package tunnel makes TCP connections to the server where an HTTP proxy
// stands between: by CONNECT (RFC 9110, section 9.3.6), for http and https
// URLs alike, since a WebSocket to an http URL would not get through as an
// ordinary request. Without a proxy it just connects.
//
// What is wrong is said as a *carrier.Failure with a name: proxy-unreachable,
// proxy-auth-wrong, proxy-443-only and so on. A user and password that a proxy
// refused are not tried again: accounts get locked by programs that do.
package tunnel

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// Config says which way connections go.
type Config struct {
	// Proxy is the proxy to use for all connections, with user and password if
	// it asks for them. Nil: what the environment says.
	Proxy *url.URL

	// Direct: no proxy at all, whatever the environment says.
	Direct bool

	// Scheme of the server's URL, http (or ws) or https (or wss): the environment
	// may have a proxy for each. Default https.
	Scheme string

	// TLS is for https proxies. Default: the system's authorities.
	TLS *tls.Config

	// StepTime bounds each step: connecting, TLS with the proxy, its answer.
	// Default 10 s.
	StepTime time.Duration

	Log *slog.Logger // default: nothing is logged
}

// Dialer makes connections. What it learns of a proxy's login serves all of
// them, so there should be one for all that goes to a server. It is safe for
// concurrent use.
type Dialer struct {
	cfg   Config // set once
	proxy func(*url.URL) (*url.URL, error)
	net   net.Dialer
	login login
}

// keepAlive of TCP is for middleboxes only: links have their own, which is shorter unless somebody chose a long one.
// Each costs two packets.
const keepAlive = time.Minute

const defaultStepTime = 10 * time.Second

// New makes a Dialer. It sends nothing.
func New(cfg Config) *Dialer {
	switch cfg.Scheme {
	case "http", "ws":
		cfg.Scheme = "http"
	default:
		cfg.Scheme = "https"
	}
	if cfg.StepTime == 0 {
		cfg.StepTime = defaultStepTime
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Dialer{
		cfg: cfg, proxy: cfg.chooser(),
		net:   net.Dialer{Timeout: cfg.StepTime, KeepAlive: keepAlive},
		login: login{turn: make(chan struct{}, 1)},
	}
}

// ProxyFor is the proxy that connections to addr go through; nil: none. Its
// String has the password in it.
func (d *Dialer) ProxyFor(addr string) (*url.URL, error) {
	return d.proxy(&url.URL{Scheme: d.cfg.Scheme, Host: addr})
}

// DialContext connects to addr, a HOST:PORT, as net.Dialer does. Its errors are
// of type *carrier.Failure.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	proxy, err := d.ProxyFor(addr)
	if err != nil {
		return nil, carrier.Fail("proxy-unreachable", err.Error(), err)
	}
	if proxy == nil {
		conn, err := d.connect(ctx, network, addr)
		if err != nil {
			return nil, carrier.Explain(err) // not conn, which would be a nil in an interface
		}
		return conn, nil
	}
	conn, failure := d.through(ctx, proxy, addr)
	if failure != nil {
		d.cfg.Log.Debug("no way through the proxy", "proxy", proxy.Redacted(), "to", addr, "err", failure)
		return nil, failure
	}
	return conn, nil
}

// reach connects to the proxy itself.
func (d *Dialer) reach(ctx context.Context, proxy *url.URL) (net.Conn, *carrier.Failure) {
	conn, err := d.connect(ctx, "tcp", hostPort(proxy))
	if err != nil {
		return nil, carrier.Fail("proxy-unreachable", fmt.Sprintf("%s: %v", proxy.Redacted(), err), err)
	}
	if proxy.Scheme != "https" {
		return conn, nil
	}
	secure := tls.Client(conn, d.tlsFor(proxy))
	ctx, cancel := context.WithTimeout(ctx, d.cfg.StepTime)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, carrier.Fail("proxy-unreachable", fmt.Sprintf("TLS with %s: %v", proxy.Redacted(), err), err)
	}
	return secure, nil
}

func (d *Dialer) tlsFor(proxy *url.URL) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.cfg.TLS != nil {
		cfg = d.cfg.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = proxy.Hostname()
	}
	cfg.NextProtos = []string{"http/1.1"}
	return cfg
}
