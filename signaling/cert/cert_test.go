package cert

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issued is a certificate of our own, in a folder of its own.
func issued(t *testing.T) (dir, pin string) {
	t.Helper()
	dir = t.TempDir()
	own, err := OpenSelf(dir, "test", []string{"localhost", "127.0.0.1"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return dir, own.Shown("").Pin()
}

// watched are files that are looked at, in a bubble of fake time.
type watched struct {
	*Files
	t    *testing.T
	dir  string
	log  lines
	edit time.Time // of the last change
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func watch(t *testing.T, dir string) *watched {
	w := &watched{t: t, dir: dir, edit: time.Now().Add(-time.Hour)}
	var err error
	if w.Files, err = OpenFiles(w.path("tls.crt"), w.path("tls.key"), slog.New(slog.NewTextHandler(&w.log, nil))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	synctest.Wait()
	return w
}

func (w *watched) path(name string) string { return filepath.Join(w.dir, name) }

// put writes a file as if some time had passed since the last.
func (w *watched) put(name string, content []byte) {
	w.t.Helper()
	w.edit = w.edit.Add(time.Second)
	if err := errors.Join(os.WriteFile(w.path(name), content, 0o600), os.Chtimes(w.path(name), w.edit, w.edit)); err != nil {
		w.t.Fatal(err)
	}
}

// copy puts a file of another folder in place of ours.
func (w *watched) copy(name, dir string) {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(name, content)
}

// pinAfter is the pin some looks later.
func (w *watched) pinAfter(looks int) string {
	time.Sleep(time.Duration(looks)*lookEvery + time.Millisecond)
	synctest.Wait()
	shown, err := w.TLS().GetCertificate(nil)
	if err != nil || shown != w.Shown("any").Certificate() {
		w.t.Errorf("TLS shows %v, %v", shown, err)
	}
	return w.Shown("").Pin()
}

// TestFilesAreLoadedAgain when both were replaced, and not before.
func TestFilesAreLoadedAgain(t *testing.T) {
	oldDir, oldPin := issued(t)
	newDir, newPin := issued(t)
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oldDir)
		if got := w.pinAfter(3); got != oldPin || w.log.String() != "" {
			t.Fatalf("unchanged, they are loaded: %s", w.log.String())
		}
		w.copy("tls.crt", newDir)
		if got := w.pinAfter(1); got != oldPin || w.log.String() != "" {
			t.Errorf("between two writes: %s", w.log.String())
		}
		w.copy("tls.key", newDir)
		if got := w.pinAfter(2); got != newPin || !strings.Contains(w.log.String(), newPin) {
			t.Errorf("after both were written: %s, log %s", got, w.log.String())
		}
	})
}

// TestBrokenFilesAreNotShown, are logged once, and may be mended.
func TestBrokenFilesAreNotShown(t *testing.T) {
	dir, pin := issued(t)
	newDir, newPin := issued(t)
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, dir)
		w.put("tls.crt", []byte("nonsense"))
		if got := w.pinAfter(10); got != pin || strings.Count(w.log.String(), "level=ERROR") != 1 {
			t.Errorf("broken: %s, log %s", got, w.log.String())
		}
		os.Remove(w.path("tls.crt"))
		if got := w.pinAfter(10); got != pin || strings.Count(w.log.String(), "level=ERROR") != 2 {
			t.Errorf("gone: %s, log %s", got, w.log.String())
		}
		w.copy("tls.key", newDir)
		w.copy("tls.crt", newDir)
		if got := w.pinAfter(2); got != newPin {
			t.Errorf("mended: %s, log %s", got, w.log.String())
		}
	})
}

// TestReload does not wait for the next look.
func TestReload(t *testing.T) {
	dir, _ := issued(t)
	newDir, newPin := issued(t)
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, dir)
		w.copy("tls.key", newDir)
		w.copy("tls.crt", newDir)
		w.Reload()
		synctest.Wait()
		if got := w.Shown("").Pin(); got != newPin {
			t.Errorf("%s", got)
		}
		if w.pinAfter(3); strings.Count(w.log.String(), "\n") != 1 {
			t.Errorf("it is loaded twice: %s", w.log.String())
		}
	})
}

func TestSelfIsKept(t *testing.T) {
	dir, pin := issued(t)
	again, err := OpenSelf(dir, "test", nil, slog.New(slog.DiscardHandler))
	if err != nil || again.Shown("").Pin() != pin {
		t.Errorf("%v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "tls.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v, %v", info, err)
	}
}

func TestParseNames(t *testing.T) {
	got, err := ParseNames([]string{"Telepath.Example.org", " bücher.example. "})
	if err != nil || got[0] != "telepath.example.org" || got[1] != "xn--bcher-kva.example" {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "localhost", "192.0.2.1", "2001:db8::1", "*.example.org", "example.org:443", "a b.example"} {
		if _, err := ParseNames([]string{text}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
