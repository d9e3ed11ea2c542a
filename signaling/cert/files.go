package cert

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// lookEvery is how often the files are looked at. A change is loaded at the
// second look that finds it: whoever renews writes two files.
const lookEvery = 5 * time.Second

// Files are a certificate and its key in PEM files.
type Files struct {
	cert, key string
	log       *slog.Logger
	shown     atomic.Pointer[Shown]
	reload    chan struct{}

	loaded state // of the files that were loaded last, or could not be; owned by Run
}

// state tells versions of the two files apart.
type state [2]struct {
	changed time.Time
	size    int64
}

// OpenFiles loads a certificate with its chain, and its key.
func OpenFiles(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log, reload: make(chan struct{}, 1), loaded: stateOf(cert, key)}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// load shows what the files hold now.
func (f *Files) load() error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("load the TLS certificate: %w", err)
	}
	shown, err := newShown(&pair)
	if err == nil {
		f.shown.Store(shown)
	}
	return err
}

// TLS is a configuration that shows the newest certificate.
func (f *Files) TLS() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.shown.Load().cert, nil })
}

// Shown is what is shown now, under any name.
func (f *Files) Shown(string) *Shown { return f.shown.Load() }

// Reload loads the files soon, changed or not.
func (f *Files) Reload() {
	select {
	case f.reload <- struct{}{}:
	default:
	}
}

// Run looks at the files until ctx ends. If what they hold is broken, that is
// logged, and the certificate before stays.
func (f *Files) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	before := f.loaded
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.reload:
			before = stateOf(f.cert, f.key)
			f.replace(before)
		case <-tick.C:
			now := stateOf(f.cert, f.key)
			if now == before && now != f.loaded {
				f.replace(now)
			}
			before = now
		}
	}
}

func (f *Files) replace(now state) {
	f.loaded = now
	if err := f.load(); err != nil {
		f.log.Error("the TLS certificate stays as it was", "err", err)
		return
	}
	f.log.Info("the TLS certificate was loaded again", "file", f.cert, "pin", f.shown.Load().Pin())
}

// stateOf is zero where a file cannot be seen.
func stateOf(paths ...string) (s state) {
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			s[i].changed, s[i].size = info.ModTime(), info.Size()
		}
	}
	return s
}
