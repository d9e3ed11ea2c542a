package main

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"sync"
)

// handler passes requests on to the server and spoils them on the way.
func (b *Box) handler() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:        b.rewrite,
		ModifyResponse: b.modify,
		FlushInterval:  -1, // at once
		Transport: &http.Transport{
			DialContext:        b.dial,
			TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, // who intercepts trusts whom it likes
			DisableCompression: true,
		},
		ErrorHandler: failed,
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.cfg.CapBody > 0 {
			if r.ContentLength > b.cfg.CapBody {
				b.out.Print(r.Method, " ", r.URL.Path, " 413, ", r.ContentLength, " bytes")
				http.Error(w, "request entity too large", http.StatusRequestEntityTooLarge)
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, b.cfg.CapBody)
		}
		proxy.ServeHTTP(w, r)
	})
}

func failed(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusBadGateway
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		status = http.StatusRequestEntityTooLarge
	}
	http.Error(w, err.Error(), status)
}

func (b *Box) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = "http", r.In.Host
	if r.In.TLS != nil {
		r.Out.URL.Scheme = "https"
	}
	if r.Out.Header.Get("Upgrade") == "" {
		return
	}
	if b.cfg.StripUpgrade {
		r.Out.Header.Del("Connection")
		r.Out.Header.Del("Upgrade")
	}
	if b.cfg.RewriteConnection != "" {
		r.Out.Header.Set("Connection", b.cfg.RewriteConnection)
	}
}

func (b *Box) modify(r *http.Response) error {
	b.out.Print(r.Request.Method, " ", r.Request.URL.Path, " ", r.StatusCode)
	if r.StatusCode == http.StatusSwitchingProtocols {
		if b.cfg.Stall101 {
			r.Body = &stalled{server: r.Body, closed: make(chan struct{})}
		}
		return nil
	}
	if b.cfg.Buffer {
		r.Body = hold(r.Body, b.cfg.BufferSize, b.cfg.BufferTime)
	}
	return nil
}

// stalled is an upgraded connection on which nothing moves.
type stalled struct {
	server io.Closer
	once   sync.Once
	closed chan struct{}
}

func (s *stalled) Read([]byte) (int, error) {
	<-s.closed
	return 0, io.EOF
}

func (s *stalled) Write(p []byte) (int, error) { return len(p), nil }

func (s *stalled) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.server.Close()
}
