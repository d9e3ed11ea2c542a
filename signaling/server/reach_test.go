package server

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// reach runs a device and a viewer of package peer until the viewer has samples
// on the relay, and returns its path then, when path is content with it.
func (r *running) reach(t *testing.T, device, viewer peer.Endpoint, content func(peer.Path) bool) (p peer.Path, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	device.Token, viewer.Token = r.token(t, auth.Device), r.token(t, auth.Viewer)
	_, key, _ := ed25519.GenerateKey(nil)
	h, err := peer.NewHost(peer.HostConfig{Endpoint: device, Key: key, Name: "reached"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Declare(peer.StreamConfig{Name: "n", Class: wire.Event})
	if err != nil {
		t.Fatal(err)
	}
	tasks.Go(func() { _ = h.Run(ctx) })
	tasks.Go(func() {
		for ctx.Err() == nil {
			_ = s.Publish(1, []byte{0, 1, 2})
			time.Sleep(20 * time.Millisecond)
		}
	})
	awaitDevice(ctx, r, h.ID())
	paths, begun := make(chan peer.Path, 100), time.Now()
	c, err := peer.Dial(peer.ViewConfig{Endpoint: viewer, Device: "reached", NoDirect: true, Events: peer.Events{
		Path: func(p peer.Path) { paths <- p },
		Batch: func(peer.Received) {
			if took == 0 {
				took = time.Since(begun)
			}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	tasks.Go(func() { _ = c.Run(ctx) })
	for {
		select {
		case p = <-paths:
			if p.OK && content(p) {
				cancel()
				tasks.Wait()
				return p, took
			}
		case <-ctx.Done():
			t.Fatalf("the last path was %+v", p)
		}
	}
}

func awaitDevice(ctx context.Context, r *running, id string) {
	for ctx.Err() == nil {
		for _, d := range r.room.Devices() {
			if d.ID == id && d.State == "live" {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func anyPath(peer.Path) bool { return true }

// TestEveryRung carries between a real Host and a real Conn, with and without TLS.
func TestEveryRung(t *testing.T) {
	for name, cfg := range map[string]Config{"plain": {}, "tls": {TLSSelf: true}} {
		r := start(t, cfg)
		for _, rung := range []ladder.Rung{ladder.WS, ladder.SSE, ladder.Poll} {
			t.Run(name+"/"+rung.String(), func(t *testing.T) {
				e := peer.Endpoint{URL: r.url, TLS: r.trust(t), Only: []ladder.Rung{rung}}
				p, took := r.reach(t, e, e, anyPath)
				if p.Rung != rung || strings.Contains(p.Reason, "intercepted") {
					t.Errorf("path %+v", p)
				}
				t.Logf("first sample after %v", took)
			})
		}
	}
}

// trust is a configuration that trusts the server's own certificate, nil without one.
func (r *running) trust(t *testing.T) *tls.Config {
	if r.tls == nil {
		return nil
	}
	leaf, err := x509.ParseCertificate(r.certs.Shown("").Certificate().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{RootCAs: pool}
}

// TestStrippedUpgrade: a reverse proxy that lacks the lines for WebSockets.
func TestStrippedUpgrade(t *testing.T) {
	r := start(t, Config{})
	to, _ := url.Parse(r.url)
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), // of the end
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Header.Del("Upgrade")
			p.Out.Header.Set("Connection", "close")
		},
	}
	box := httptest.NewServer(proxy)
	defer box.Close()
	e := peer.Endpoint{URL: box.URL}
	p, took := r.reach(t, e, e, anyPath)
	if p.Rung != ladder.SSE || !strings.Contains(p.Reason, "WebSocket: ") || !strings.Contains(p.Reason, "(upgrade-refused)") {
		t.Errorf("path %+v", p)
	}
	t.Logf("first sample after %v", took)
}

// TestInterceptionIsNamed: something between ends TLS with a certificate that the
// client trusts; the link works, and its user learns of it.
func TestInterceptionIsNamed(t *testing.T) {
	r := start(t, Config{TLSSelf: true})
	to, _ := url.Parse(r.url)
	box := httptest.NewTLSServer(&httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     &http.Transport{TLSClientConfig: r.trust(t)},
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(to) },
	})
	defer box.Close()
	e := peer.Endpoint{URL: box.URL, TLS: box.Client().Transport.(*http.Transport).TLSClientConfig}
	p, _ := r.reach(t, e, e, anyPath)
	if p.Rung != ladder.WS || !strings.Contains(p.Reason, "tls-intercepted") || !strings.Contains(p.Reason, "Acme Co") {
		t.Errorf("path %+v", p)
	}
}
