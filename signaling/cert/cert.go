// Package cert has the certificates that the server shows in TLS, and keeps
// them fresh while it runs: files, which may be replaced at any time (Files); a
// certificate of our own, for networks where clients pin it (Self); and those
// of an authority that speaks ACME (ACME, the only door to its client).
package cert

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
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
	return &Shown{Until: leaf.NotAfter, KeyHash: keyHash(leaf), cert: cert}, nil
}

func keyHash(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return sum[:]
}

// errOther: it may be another server's, or it was just renewed.
var errOther = errors.New("it shows another certificate than this server's")

// OnlyTo is a configuration of a client on the server's machine that speaks to nobody but who has the key of the certificate in
// file, the first one in it, whatever names that has.
func OnlyTo(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the server's certificate: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("the server's certificate %s: no PEM", file)
	}
	own, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the server's certificate %s: %w", file, err)
	}
	return &tls.Config{
		InsecureSkipVerify: true, // VerifyConnection is stricter
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !bytes.Equal(keyHash(state.PeerCertificates[0]), keyHash(own)) {
				return errOther
			}
			return nil
		},
	}, nil
}

// config is what all kinds have in common.
func config(choose func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{GetCertificate: choose, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}
