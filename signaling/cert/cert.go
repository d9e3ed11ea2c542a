// Package cert has the certificates that the server shows in TLS, and keeps
// them fresh while it runs: files, which may be replaced at any time (Files); a
// certificate of our own, for networks where clients pin it (Self); and those
// of an authority that speaks ACME (ACME, the only door to its client).
package cert

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"
)

// Shown is a certificate as those know it to whom it is shown.
type Shown struct {
	KeyHash []byte    // SHA-256 of its public key (SubjectPublicKeyInfo), which survives a renewal with the same key
	Until   time.Time // when it ends
	cert    *tls.Certificate
}

// Pin is what clients pass as --tls-pin to trust this certificate.
func (s *Shown) Pin() string { return "sha256:" + hex.EncodeToString(s.KeyHash) }

// Certificate is the certificate, with its key.
func (s *Shown) Certificate() *tls.Certificate { return s.cert }

// newShown is how a certificate looks from outside.
func newShown(cert *tls.Certificate) (*Shown, error) {
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate: %w", err)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return &Shown{Until: leaf.NotAfter, KeyHash: sum[:], cert: cert}, nil
}

// config is what all kinds have in common.
func config(choose func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{GetCertificate: choose, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}
