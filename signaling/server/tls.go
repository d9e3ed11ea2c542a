package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certLife of a certificate of our own. Nobody checks it but by its pin.
const certLife = 10 * 365 * 24 * time.Hour

// loadTLS gets the certificate that the configuration asks for, if any.
func (s *Server) loadTLS() error {
	certFile, keyFile := s.cfg.TLSCert, s.cfg.TLSKey
	switch {
	case s.cfg.TLSSelf && (certFile != "" || keyFile != ""):
		return errors.New("--tls self and --tls-cert exclude one another: give one of them")
	case (certFile == "") != (keyFile == ""):
		return errors.New("--tls-cert and --tls-key go together: give both")
	case s.cfg.TLSSelf:
		certFile, keyFile = filepath.Join(s.cfg.Data, "tls.crt"), filepath.Join(s.cfg.Data, "tls.key")
		if err := ensureCertificate(certFile, keyFile, s.cfg.Name); err != nil {
			return err
		}
	case certFile == "":
		return nil
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return fmt.Errorf("load the TLS certificate: %w", err)
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetConfigForClient: noteClientHello}
	s.keyHash, err = keyHashOf(cert.Certificate[0])
	return err
}

// Pin is what clients pass as --tls-pin to trust this server's certificate;
// empty without TLS.
func (s *Server) Pin() string {
	if s.keyHash == nil {
		return ""
	}
	return "sha256:" + hex.EncodeToString(s.keyHash)
}

// keyHashOf is the SHA-256 of a certificate's public key, which survives a renewal with the same key.
func keyHashOf(der []byte) ([]byte, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate: %w", err)
	}
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return sum[:], nil
}

// ensureCertificate makes a certificate of our own unless there is one.
func ensureCertificate(certFile, keyFile, name string) error {
	if _, err := os.Stat(certFile); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a TLS key: %w", err)
	}
	der, err := selfSign(key, name)
	if err != nil {
		return fmt.Errorf("make a TLS certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the TLS key: %w", err)
	}
	// The key first: a certificate without its key would stop the next start.
	return errors.Join(
		writePEM(keyFile, "PRIVATE KEY", keyDER, 0o600),
		writePEM(certFile, "CERTIFICATE", der, 0o644),
	)
}

func selfSign(key *ecdsa.PrivateKey, name string) ([]byte, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "telepath " + name},
		NotBefore:    now.Add(-time.Hour), // clocks differ
		NotAfter:     now.Add(certLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for own := range ownNames() {
		if ip := net.ParseIP(own); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, own)
		}
	}
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}

func writePEM(path, kind string, der []byte, mode fs.FileMode) error {
	data := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, data, mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
