package settings

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func get(url string, config *tls.Config) error {
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	defer client.CloseIdleConnections()
	answer, err := client.Get(url)
	if err == nil {
		answer.Body.Close()
	}
	return err
}

func TestPin(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	server.Config.ErrorLog = nil
	cert := sha256.Sum256(server.Certificate().Raw)
	key := sha256.Sum256(server.Certificate().RawSubjectPublicKeyInfo)
	for _, pin := range []string{
		fmt.Sprintf("sha256:%x", cert),
		fmt.Sprintf("sha256:%X", key),
		"sha256:" + base64.StdEncoding.EncodeToString(key[:]),
		"sha256:" + base64.RawURLEncoding.EncodeToString(cert[:]),
	} {
		config, err := TrustPin(pin)
		if err != nil {
			t.Fatal(pin, err)
		}
		if err := get(server.URL, config); err != nil {
			t.Error(pin, err)
		}
	}
	wrong, _ := TrustPin(fmt.Sprintf("sha256:%064x", 1))
	if err := get(server.URL, wrong); err == nil || !strings.Contains(err.Error(), "does not match --tls-pin") {
		t.Errorf("another certificate: %v", err)
	}
}

func TestPinMistakes(t *testing.T) {
	for _, pin := range []string{"", "sha256:", "sha256:12", strings.Repeat("0", 64), "sha1:" + strings.Repeat("0", 64)} {
		if _, err := TrustPin(pin); err == nil {
			t.Errorf("%q was taken", pin)
		}
	}
}

func TestCA(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	path := filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := TrustCA(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := get(server.URL, config); err != nil {
		t.Error(err)
	}
	if _, err := TrustCA("tls_test.go"); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("a file without certificates: %v", err)
	}
}
