package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// authority speaks as much of ACME (RFC 8555) as one order needs. It believes
// signatures, but not that a name is the client's: that it sees for itself.
type authority struct {
	t      *testing.T
	server *httptest.Server
	target string // where the names are; set before it is asked
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate

	thumbprint string // of the account's key
	name       string // ordered
	proved     bool
	issued     []byte        // PEM
	orders     int           // guarded by mu
	lifetime   time.Duration // of certificates; guarded by mu

	mu sync.Mutex
}

const challengeToken = "a-token-of-the-authority"

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key, lifetime: 90 * 24 * time.Hour}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.server = httptest.NewServer(a)
	t.Cleanup(a.server.Close)
	return a
}

// ServeHTTP implements http.Handler.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	url := func(path string) string { return a.server.URL + path }
	w.Header().Set("Replay-Nonce", "nonce")
	var jws struct{ Protected, Payload string }
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&jws); err != nil {
			a.t.Errorf("%s: %v", r.URL, err)
		}
	}
	reply := func(status int, v any) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/directory":
		reply(200, map[string]string{"newNonce": url("/nonce"), "newAccount": url("/account"), "newOrder": url("/order")})
	case "/nonce":
	case "/account":
		a.account(jws.Protected)
		w.Header().Set("Location", url("/account/1"))
		reply(201, map[string]string{"status": "valid"})
	case "/order":
		var order struct{ Identifiers []struct{ Value string } }
		a.decode(jws.Payload, &order)
		a.name, a.proved, a.issued = order.Identifiers[0].Value, false, nil
		a.mu.Lock()
		a.orders++
		a.mu.Unlock()
		w.Header().Set("Location", url("/order/1"))
		reply(201, a.order())
	case "/authz/1", "/challenge/1":
		if r.URL.Path == "/challenge/1" {
			a.prove()
		}
		challenge := map[string]string{"type": "tls-alpn-01", "url": url("/challenge/1"), "token": challengeToken, "status": a.status("pending", "valid")}
		if r.URL.Path == "/challenge/1" {
			reply(200, challenge)
			return
		}
		reply(200, map[string]any{
			"status": a.status("pending", "valid"), "challenges": []any{challenge},
			"identifier": map[string]string{"type": "dns", "value": a.name},
		})
	case "/order/1":
		reply(200, a.order())
	case "/finalize/1":
		var final struct{ CSR string }
		a.decode(jws.Payload, &final)
		a.sign(final.CSR)
		w.Header().Set("Location", url("/order/1"))
		reply(200, a.order())
	case "/cert/1":
		w.Write(a.issued)
	default:
		http.NotFound(w, r)
	}
}

func (a *authority) decode(payload string, v any) {
	b, err := base64.RawURLEncoding.DecodeString(payload)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		a.t.Errorf("%q: %v", payload, err)
	}
}

// account notes the thumbprint of a new account's key (RFC 7638).
func (a *authority) account(protected string) {
	var header struct{ JWK struct{ X, Y string } }
	a.decode(protected, &header)
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, header.JWK.X, header.JWK.Y))
	a.thumbprint = base64.RawURLEncoding.EncodeToString(sum[:])
}

func (a *authority) status(before, after string) string {
	if a.proved {
		return after
	}
	return before
}

func (a *authority) order() map[string]any {
	order := map[string]any{
		"status": a.status("pending", "ready"), "authorizations": []string{a.server.URL + "/authz/1"}, "finalize": a.server.URL + "/finalize/1",
		"identifiers": []any{map[string]string{"type": "dns", "value": a.name}},
	}
	if a.issued != nil {
		order["status"], order["certificate"] = "valid", a.server.URL+"/cert/1"
	}
	return order
}

// prove asks the server for the name, as RFC 8737 has it.
func (a *authority) prove() {
	conn, err := tls.Dial("tcp", a.target, &tls.Config{ServerName: a.name, NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true})
	if err != nil {
		a.t.Errorf("the challenge: %v", err)
		return
	}
	defer conn.Close()
	sum := sha256.Sum256([]byte(challengeToken + "." + a.thumbprint))
	want, _ := asn1.Marshal(sum[:])
	leaf := conn.ConnectionState().PeerCertificates[0]
	for _, e := range leaf.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && bytes.Equal(e.Value, want) && leaf.VerifyHostname(a.name) == nil {
			a.proved = true
		}
	}
	if !a.proved {
		a.t.Error("the challenge is answered with another certificate")
	}
}

func (a *authority) sign(csr string) {
	der, _ := base64.RawURLEncoding.DecodeString(csr)
	request, err := x509.ParseCertificateRequest(der)
	if err != nil || !a.proved {
		a.t.Errorf("finalize: %v, proved %v", err, a.proved)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(1 + a.orders)), DNSNames: request.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(a.lifetime),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leaf, err := x509.CreateCertificate(rand.Reader, template, a.cert, request.PublicKey, a.key)
	if err != nil {
		a.t.Error(err)
	}
	for _, der := range [][]byte{leaf, a.cert.Raw} {
		a.issued = append(a.issued, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
}

// TestACME: a certificate is issued on the port itself, shown under its name,
// and kept; under other names ours is shown.
func TestACME(t *testing.T) {
	const name = "telepath.example.org"
	a := newAuthority(t)
	cfg := Config{ACME: []string{"Telepath.Example.org"}, ACMEDirectory: a.server.URL + "/directory", Data: t.TempDir()}
	for round := range 2 {
		s := start(t, cfg, func(s *Server) { a.target = s.Addr().String() })
		client := a.client(s, name)
		var answer *http.Response
		var err error
		for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			if answer, err = client.Get("https://" + name + "/v1/devices"); err == nil || time.Now().After(end) {
				break
			}
		}
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnauthorized { // its name is known by itself
			t.Errorf("%d %s", answer.StatusCode, body)
		}
		conn, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if pin := s.Pin(); !strings.HasPrefix(pin, "sha256:") || conn.ConnectionState().PeerCertificates[0].Issuer.CommonName == "" {
			t.Errorf("without a name there is another certificate than ours")
		}
		conn.Close()
		s.stop()
	}
	if a.orders != 1 {
		t.Errorf("%d orders, with a certificate in the data folder", a.orders)
	}
}

// client trusts the authority, and finds the name at a server.
func (a *authority) client(s *running, name string) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.Addr().String())
		},
	}}
}

// TestACMERenewal: a certificate in the last third of its life is renewed by itself, and the new one shown without a restart.
func TestACMERenewal(t *testing.T) {
	const name = "telepath.example.org"
	a := newAuthority(t)
	a.lifetime = 10 * time.Minute // behind an hour that is over
	cfg := Config{ACME: []string{name}, ACMEDirectory: a.server.URL + "/directory", Data: t.TempDir(), acmeEvery: 50 * time.Millisecond}
	s := start(t, cfg, func(s *Server) { a.target = s.Addr().String() })
	defer s.stop()
	client := a.client(s, name)
	var shown []int64 // serial numbers
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		answer, err := client.Get("https://" + name + "/v1/devices")
		if err != nil {
			continue
		}
		answer.Body.Close()
		serial := answer.TLS.PeerCertificates[0].SerialNumber.Int64()
		if len(shown) > 0 && shown[len(shown)-1] == serial {
			continue
		}
		shown = append(shown, serial)
		if len(shown) == 2 {
			break
		}
		a.mu.Lock()
		a.lifetime = 90 * 24 * time.Hour
		a.mu.Unlock()
	}
	if len(shown) != 2 {
		t.Fatalf("certificates %v were shown, want two", shown)
	}
}
