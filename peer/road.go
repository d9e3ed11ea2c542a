package peer

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/carrier/tunnel"
	"github.com/telepath-iot/telepath/peer/carrier/web"
	"github.com/telepath-iot/telepath/peer/carrier/ws"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// road is the way to an endpoint's server, as far as all rungs share it.
type road struct {
	url    string // of links, ws or wss
	header http.Header
	tunnel *tunnel.Dialer
	ahead  ahead
	tls    *tls.Config
	http1  atomic.Bool     // HTTP/2 is agreed on here and then cut; racer remembers it for each network
	body   atomic.Int64    // larger ones than this are refused by something between; 0: nothing is known
	onBody func(bytes int) // called when body has become known; set once
	log    *slog.Logger
	shown  atomic.Pointer[x509.Certificate] // by whoever ends TLS at the other end; nil: nobody yet
	at     atomic.Pointer[netip.AddrPort]   // where the server was reached without a proxy; nil: nowhere yet
}

func newRoad(e Endpoint) (*road, error) {
	to, err := e.linkURL()
	if err != nil {
		return nil, err
	}
	through, err := e.Tunnel()
	if err != nil {
		return nil, err
	}
	r := &road{url: to, tunnel: through, ahead: ahead{dial: through.DialContext}, header: http.Header{}, log: e.log()}
	if e.Token != "" {
		r.header.Set("Authorization", "Bearer "+e.Token)
	}
	r.tls = r.watched(e.TLS)
	return r, nil
}

// Tunnel makes the dialer that the endpoint's proxy settings ask for.
func (e Endpoint) Tunnel() (*tunnel.Dialer, error) {
	scheme, _, _ := strings.Cut(e.URL, ":")
	cfg := tunnel.Config{Log: e.Log, Direct: e.Proxy == ProxyNone, Scheme: scheme}
	if e.Proxy != "" && !cfg.Direct {
		var err error
		if cfg.Proxy, err = tunnel.ParseProxy(e.Proxy); err != nil {
			return nil, err
		}
	}
	return tunnel.New(cfg), nil
}

// watched is a TLS configuration that notes whose certificate was shown, once it was found good.
func (r *road) watched(base *tls.Config) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if base != nil {
		cfg = base.Clone()
	}
	check := cfg.VerifyConnection
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		if check != nil {
			if err := check(s); err != nil {
				return err
			}
		}
		if len(s.PeerCertificates) > 0 {
			r.shown.Store(s.PeerCertificates[0])
		}
		return nil
	}
	return cfg
}

// readAuthorities reads those of this machine, if they are who says whom to trust, while the connection is made: some hundred files,
// 20 ms, which would else pass between the server's certificate and our answer. A program reads them once.
func (r *road) readAuthorities() {
	if r.asksAuthorities() {
		_, _ = x509.SystemCertPool() // whoever checks a certificate tells what is wrong with them
	}
}

// asksAuthorities reports whether a server's certificate must be one of this machine's authorities.
func (r *road) asksAuthorities() bool {
	return strings.HasPrefix(r.url, "wss:") && r.tls.RootCAs == nil && !r.tls.InsecureSkipVerify
}

// intercepted compares the key that the server says is its own with the one
// that TLS was made with; nil: nothing is wrong, or known to be.
func (r *road) intercepted(own []byte) *carrier.Failure {
	shown := r.shown.Load()
	if shown == nil || len(own) == 0 {
		return nil
	}
	if key := sha256.Sum256(shown.RawSubjectPublicKeyInfo); string(key[:]) == string(own) {
		return nil
	}
	return carrier.Fail("tls-intercepted", "its certificate was issued by "+carrier.IssuerOf(shown), nil)
}

// capped notes that something between refuses larger bodies than this.
func (r *road) capped(bytes int) {
	if before := r.body.Swap(int64(bytes)); before != int64(bytes) {
		r.log.Info("smaller requests are sent from now on", "reason", r.capping().Brief())
		r.onBody(bytes)
	}
}

// capping names what capped noted; nil: nothing.
func (r *road) capping() *carrier.Failure {
	if bytes := r.body.Load(); bytes > 0 {
		return carrier.Fail("body-capped", fmt.Sprintf("up to %d bytes get through", bytes), nil)
	}
	return nil
}

// open implements opening.
func (r *road) open(ctx context.Context, rung ladder.Rung, open []byte, connected func()) (carrier.Carrier, error) {
	header := r.header.Clone()
	if open != nil {
		header.Set("Telepath-Open", base64.RawURLEncoding.EncodeToString(open))
	}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := r.ahead.take(ctx, network, addr)
		if err == nil {
			r.note(conn, addr)
			connected()
		}
		return conn, err
	}
	if rung == ladder.WS {
		c, err := ws.Dial(ctx, ws.DialConfig{URL: r.url, Header: header, TLS: r.tls, DialContext: dial})
		return orNil(c, err)
	}
	c, err := web.Dial(ctx, web.DialConfig{
		Rung: rung, URL: r.url, Header: header, TLS: r.tls, DialContext: dial, HTTP1: &r.http1,
		Body: int(r.body.Load()), OnCapped: r.capped,
	})
	return orNil(c, err)
}

// openChannels implements openingChannels. The request takes the road, its
// answer says where the data channels lead.
func (r *road) openChannels(ctx context.Context, noUDP, noTCP bool) (carrier.Carrier, error) {
	c, err := r.dialChannels(ctx, noUDP, noTCP)
	return orNil(c, err)
}

func (r *road) dialChannels(ctx context.Context, noUDP, noTCP bool) (*rtc.Peer, error) {
	return rtc.Dial(ctx, rtc.DialConfig{
		Config: rtc.Config{IncludeLoopback: r.address().Addr().IsLoopback(), NoUDP: noUDP, Log: r.log},
		URL:    r.url, Header: r.header, TLS: r.tls, DialContext: r.tunnel.DialContext,
		NoTCP: noTCP,
	})
}

// note keeps the server's address, if it is that and no proxy's.
func (r *road) note(conn net.Conn, addr string) {
	proxy, err := r.tunnel.ProxyFor(addr)
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok && err == nil && proxy == nil {
		at := tcp.AddrPort()
		at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
		r.at.Store(&at)
	}
}

// address is the server's, not valid while none is known.
func (r *road) address() (at netip.AddrPort) {
	if known := r.at.Load(); known != nil {
		at = *known
	}
	return at
}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil[C carrier.Carrier](c C, err error) (carrier.Carrier, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
