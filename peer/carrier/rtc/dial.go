package rtc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/tunnel"
	"github.com/telepath-iot/telepath/peer/wire"
)

// DialConfig says how to reach a server over data channels.
type DialConfig struct {
	Config // Servers, RelayOnly, Filter, NoMDNS, Listener and DialTCP do not matter

	URL    string      // of the link: http, https, ws or wss, …/v1/link
	Header http.Header // sent with the request: Authorization, Telepath-Open

	// NoTCP forbids TCP, as NoUDP forbids UDP. Default: UDP, or else TCP.
	NoTCP bool

	// TLS is the configuration for https and wss; nil: the system's roots.
	TLS *tls.Config

	// DialContext makes the TCP connection of the request, through a proxy if
	// need be; data channels go straight. Default: that of package tunnel,
	// which takes proxies from the environment.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

const (
	pathRTC = "/rtc"
	sdpType = "application/sdp"
	// handshakeTime is for TLS, where the context does not end a dial before.
	handshakeTime = 10 * time.Second
)

// Dial opens a link over data channels to the server itself (protocol section
// 6.10): it returns when they are open. The server's refusal is a
// *carrier.Refused, all other trouble a *carrier.Failure.
func Dial(ctx context.Context, cfg DialConfig) (*Peer, error) {
	p, err := cfg.offerer()
	if err != nil {
		return nil, err
	}
	if err := cfg.introduce(ctx, p); err != nil {
		p.Close(wire.CodeByName("internal"), "no answer")
		<-p.life.Over()
		return nil, fmt.Errorf("dial %s for data channels: %w", cfg.URL, err)
	}
	if err := p.Await(ctx); err != nil {
		return nil, fmt.Errorf("dial %s over data channels: %w", cfg.URL, cfg.blocked(err))
	}
	return p, nil
}

func (cfg DialConfig) offerer() (*Peer, error) {
	c := cfg.Config
	c.Servers, c.RelayOnly, c.Filter, c.NoMDNS = nil, false, nil, true
	c.server, c.DialTCP, c.Listener = true, !cfg.NoTCP, nil
	return NewOfferer(c, Events{})
}

// introduce sends the offer and takes the answer. Our own addresses are not
// told: the server sees from where we come.
func (cfg DialConfig) introduce(ctx context.Context, p *Peer) error {
	offer, err := p.Offer()
	if err != nil {
		return err
	}
	offer, _ = splitCandidates(offer)
	answer, err := cfg.post(ctx, offer)
	if err != nil {
		return err
	}
	if err := p.SetAnswer(answer); err != nil {
		return carrier.Fail("not-telepath", "its answer is no description of data channels", err)
	}
	return nil
}

func (cfg DialConfig) post(ctx context.Context, offer string) (answer string, err error) {
	to, err := requestURL(cfg.URL)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(offer))
	if err != nil {
		return "", err
	}
	if cfg.Header != nil {
		r.Header = cfg.Header.Clone()
	}
	r.Header.Set("Content-Type", sdpType)
	r.Header.Set("Telepath-Request", "1") // that no foreign page makes it, where there is no token to show that
	t := cfg.transport()
	defer t.CloseIdleConnections()
	got, err := t.RoundTrip(r) // follows no redirect: the token would go to whoever it names
	if err != nil {
		return "", carrier.Explain(err)
	}
	defer got.Body.Close()
	return readAnswer(got)
}

func readAnswer(got *http.Response) (string, error) {
	if got.StatusCode != http.StatusCreated || got.Header.Get("Content-Type") != sdpType {
		if refused := carrier.ReadRefusal(got); refused != nil {
			return "", refused
		}
		return "", carrier.Fail("not-telepath", "the answer is "+got.Status, nil)
	}
	answer, err := io.ReadAll(io.LimitReader(got.Body, wire.MaxSDP+1)) // what is longer is refused
	if err != nil {
		return "", carrier.Explain(err)
	}
	return string(answer), nil
}

func (cfg DialConfig) transport() *http.Transport {
	dial := cfg.DialContext
	if dial == nil {
		scheme, _, _ := strings.Cut(cfg.URL, ":")
		dial = tunnel.New(tunnel.Config{Scheme: scheme}).DialContext
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS != nil {
		secure = cfg.TLS.Clone()
	}
	secure.NextProtos = []string{"http/1.1"} // one request
	return &http.Transport{DialContext: dial, TLSClientConfig: secure, TLSHandshakeTimeout: handshakeTime, DisableCompression: true}
}

// requestURL is where offers for links go.
func requestURL(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("URL of the link: %w", err)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	}
	return strings.TrimSuffix(u.String(), "/") + pathRTC, nil
}

// blocked names why channels did not open that the server has agreed to.
func (cfg DialConfig) blocked(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	name := "relay-blocked"
	switch {
	case cfg.NoTCP:
		name = "udp-blocked"
	case cfg.NoUDP:
		name = "ice-tcp-blocked"
	}
	return carrier.Fail(name, "", err)
}

// Await returns nil when all channels are open, else why they never will be:
// because the connection failed, or ctx ended. Then it is over.
func (p *Peer) Await(ctx context.Context) error {
	select {
	case <-p.ready:
		return nil
	case <-p.life.Ending().Done():
	case <-ctx.Done():
		p.life.Stop(context.Cause(ctx))
	}
	p.Close(wire.CodeByName("timeout"), "the channels did not open")
	<-p.life.Over()
	return p.life.Cause()
}
