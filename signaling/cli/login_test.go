package cli

import (
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer/folder"
	"github.com/telepath-iot/telepath/signaling/cert"
)

// TestLoginURLTellsNobodyElseTheToken: whoever has the port while no server runs, or shows another certificate than the server's.
func TestLoginURLTellsNobodyElseTheToken(t *testing.T) {
	told := ""
	there := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told = r.Header.Get("Authorization")
		w.Write([]byte(`{"url":"http://localhost/#code=x"}`))
	})
	plain, secure := httptest.NewServer(there), httptest.NewTLSServer(there)
	defer plain.Close()
	defer secure.Close()
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	other := otherCertificate(t)
	for _, c := range []struct {
		name, url string
		flags     []string
		running   bool
		cert      []byte // DIR/tls.crt; nil: there is none
		wrong     string // "": it is asked
	}{
		{name: "no server", url: plain.URL, wrong: "no server runs"},
		{name: "no server, TLS", url: secure.URL, flags: []string{"--tls", "self"}, cert: own, wrong: "no server runs"},
		{name: "a server", url: plain.URL, running: true},
		{name: "its own certificate", url: secure.URL, flags: []string{"--tls", "self"}, running: true, cert: own},
		{name: "of an authority, for another name", url: secure.URL, flags: []string{"--acme", "relay.example"}, running: true, cert: own},
		{name: "another certificate", url: secure.URL, flags: []string{"--tls", "self"}, running: true, cert: other, wrong: "another certificate"},
		{name: "no certificate", url: secure.URL, flags: []string{"--tls", "self"}, running: true, wrong: "tls.crt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "tokens", "admin"), []byte("secret\n"))
			if c.cert != nil {
				write(t, filepath.Join(dir, "tls.crt"), c.cert)
			}
			lock, err := folder.Hold(dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !c.running {
				lock.Release()
			}
			defer lock.Release()
			told = ""
			_, at, _ := strings.Cut(c.url, "://")
			code, _, errs := program(t.Context(), append([]string{"login-url", "--data", dir, "--listen", at}, c.flags...)...)
			if (code == 0) != (c.wrong == "") || !strings.Contains(errs.String(), c.wrong) || (told == "") != (c.wrong != "") {
				t.Errorf("exits %d, %q was told: %s", code, told, errs)
			}
		})
	}
}

func TestLoginURLKnowsTheCertificateOfFiles(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"url":"http://localhost/#code=x"}`))
	}))
	defer server.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tokens", "admin"), []byte("secret\n"))
	lock, err := folder.Hold(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	file := filepath.Join(dir, "chain.pem")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for want, text := range map[int][]byte{0: append(own, otherCertificate(t)...), 1: otherCertificate(t)} {
		write(t, file, text)
		code, _, errs := program(t.Context(), "login-url", "--data", dir, "--listen", server.Listener.Addr().String(), "--tls-cert", file)
		if code != want {
			t.Errorf("exits %d: %s", code, errs)
		}
	}
}

// otherCertificate is one that no server of a test has.
func otherCertificate(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	if _, err := cert.OpenSelf(dir, "other", nil, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
