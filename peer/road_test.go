package peer

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
)

// TestAuthoritiesAreReadWhereTheyAreAsked: who trusts a certificate or an authority of his own is spared that.
func TestAuthoritiesAreReadWhereTheyAreAsked(t *testing.T) {
	for _, c := range []struct {
		url  string
		tls  *tls.Config
		want bool
	}{
		{"https://server.example", nil, true},
		{"https://server.example", &tls.Config{RootCAs: x509.NewCertPool()}, false},
		{"https://server.example", &tls.Config{InsecureSkipVerify: true}, false},
		{"http://server.example", nil, false},
	} {
		r, err := newRoad(Endpoint{URL: c.url, TLS: c.tls})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.asksAuthorities(); got != c.want {
			t.Errorf("%s, %v: %v", c.url, c.tls != nil, got)
		}
	}
}
