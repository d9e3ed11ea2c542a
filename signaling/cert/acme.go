package cert

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACMEConfig of an ACME. Whoever uses it accepts the authority's terms.
type ACMEConfig struct {
	Names     []string      // to get certificates for, as ParseNames returns them; at least one
	Dir       string        // folder for account, keys and certificates; required
	Directory string        // URL of the authority's directory; default: that of Let's Encrypt
	Fallback  *Files        // what is shown under other names, and until there is one; required
	Every     time.Duration // between two looks whether a certificate was renewed; default 1 h
	Log       *slog.Logger
}

// ACME gets certificates of an authority (RFC 8555). It proves that names are
// ours on the port itself (tls-alpn-01, RFC 8737), where the authority has to
// reach it as port 443. Handshakes never wait for the authority.
type ACME struct {
	cfg     ACMEConfig
	manager *autocert.Manager

	mu    sync.Mutex
	shown map[string]*Shown // by name
}

// Times between asking the manager for a name's certificate, which renews it by itself
// when a third of its life is left; and after a failure, doubling: authorities lock out
// who tries often.
const (
	defaultEvery = time.Hour
	firstRetry   = time.Minute
	longestRetry = time.Hour
)

// NewACME makes an ACME, which Run then serves.
func NewACME(cfg ACMEConfig) *ACME {
	if cfg.Directory == "" {
		cfg.Directory = autocert.DefaultACMEDirectory
	}
	if cfg.Every == 0 {
		cfg.Every = defaultEvery
	}
	return &ACME{
		cfg: cfg,
		manager: &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			Cache:      autocert.DirCache(cfg.Dir),
			HostPolicy: autocert.HostWhitelist(cfg.Names...),
			Client:     &acme.Client{DirectoryURL: cfg.Directory, UserAgent: "telepath"},
		},
		shown: make(map[string]*Shown),
	}
}

// TLS is a configuration that shows each name its certificate, and answers the authority.
func (a *ACME) TLS() *tls.Config {
	cfg := config(a.choose)
	cfg.NextProtos = append(cfg.NextProtos, acme.ALPNProto)
	return cfg
}

func (a *ACME) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) { // RFC 8737, section 3
		return a.manager.GetCertificate(hello)
	}
	return a.Shown(hello.ServerName).cert, nil
}

// Shown is what is shown now under a name.
func (a *ACME) Shown(name string) *Shown {
	a.mu.Lock()
	defer a.mu.Unlock()
	if shown := a.shown[strings.ToLower(name)]; shown != nil {
		return shown
	}
	return a.cfg.Fallback.Shown(name)
}

// Reload does nothing: there is nothing that a person could have changed.
func (a *ACME) Reload() {}

// Run gets certificates, and renews them, until ctx ends. What is being asked
// of the authority then is given up by itself, within 5 minutes at most.
func (a *ACME) Run(ctx context.Context) error {
	var names sync.WaitGroup
	for _, name := range a.cfg.Names {
		names.Go(func() { a.keep(ctx, name) })
	}
	names.Wait()
	return ctx.Err()
}

// keep has a certificate of a name.
func (a *ACME) keep(ctx context.Context, name string) {
	for retry := firstRetry; ; {
		pause := a.cfg.Every
		if err := a.getUnless(ctx, name); err == nil {
			retry = firstRetry
		} else if ctx.Err() == nil {
			a.cfg.Log.Warn("no certificate was issued; trying again", "name", name, "in", retry.String(), "err", err,
				"remedy", "the authority must reach this server as port 443 under that name")
			pause, retry = retry, min(2*retry, longestRetry)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// getUnless is get, which cannot be ended, until ctx ends.
func (a *ACME) getUnless(ctx context.Context, name string) error {
	got := make(chan error, 1)
	go func() { got <- a.get(name) }()
	select {
	case err := <-got:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// get shows the newest certificate of a name.
func (a *ACME) get(name string) error {
	cert, err := a.manager.GetCertificate(modernHello(name))
	if err != nil {
		return fmt.Errorf("get a certificate: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if before := a.shown[name]; before != nil && slices.Equal(before.cert.Certificate[0], cert.Certificate[0]) {
		return nil
	}
	shown, err := newShown(cert)
	if err != nil {
		return err
	}
	a.shown[name] = shown
	a.cfg.Log.Info("a certificate is shown", "name", name, "until", shown.Until.Format(time.DateOnly))
	return nil
}

// modernHello is of a client that takes the kind of key that all clients of ours take.
func modernHello(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		ServerName:       name,
		CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedCurves:  []tls.CurveID{tls.CurveP256},
	}
}
