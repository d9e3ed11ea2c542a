package settings

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// TLSFlags adds --tls-ca and --tls-pin to a command.
func TLSFlags(cmd *cobra.Command) {
	cmd.Flags().String("tls-ca", "", "PEM `file` with the certificates to trust instead of the system's")
	cmd.Flags().String("tls-pin", "", "`sha256:…` of the server's certificate or of its public key; trust that one and no other")
}

// TLS makes the TLS configuration that --tls-ca or --tls-pin ask for; nil, the
// system's own, if neither does.
func TLS(cmd *cobra.Command) (*tls.Config, error) {
	ca, err := cmd.Flags().GetString("tls-ca")
	if err != nil {
		return nil, err
	}
	pin, err := cmd.Flags().GetString("tls-pin")
	if err != nil {
		return nil, err
	}
	switch {
	case ca != "" && pin != "":
		return nil, Usagef("--tls-ca and --tls-pin exclude one another: give one")
	case ca != "":
		return TrustCA(ca)
	case pin != "":
		return TrustPin(pin)
	}
	return nil, nil
}

// TrustCA trusts what the certificates of a PEM file have signed.
func TrustCA(path string) (*tls.Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--tls-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("--tls-ca %s: it has no certificate in PEM form", path)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// TrustPin trusts exactly one server: the one whose leaf certificate, or the
// public key in it (SubjectPublicKeyInfo, RFC 7469 section 2.4), has this
// SHA-256 hash. The pin is "sha256:" and the hash in hexadecimal (colons allowed) or base64. Names
// and dates of the certificate do not count: the hash says more than they could.
func TrustPin(pin string) (*tls.Config, error) {
	want, err := parsePin(pin)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// The chain is not checked because the pin is: VerifyConnection runs on
		// every handshake, resumed ones too.
		InsecureSkipVerify: true,
		VerifyConnection:   func(s tls.ConnectionState) error { return checkPin(s, want) },
	}, nil
}

func checkPin(s tls.ConnectionState, want []byte) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	leaf := s.PeerCertificates[0]
	cert, key := sha256.Sum256(leaf.Raw), sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	if subtle.ConstantTimeCompare(cert[:], want)|subtle.ConstantTimeCompare(key[:], want) == 0 {
		return &PinError{leaf}
	}
	return nil
}

// PinError says that a server does not show the certificate that is pinned.
type PinError struct{ shown *x509.Certificate }

// Error implements error.
func (e *PinError) Error() string {
	return fmt.Sprintf("the server's certificate does not match --tls-pin: its key has sha256:%x; "+
		"if the server was set up anew, use the pin it prints", sha256.Sum256(e.shown.RawSubjectPublicKeyInfo))
}

// Shown is the certificate that the server shows instead.
func (e *PinError) Shown() *x509.Certificate { return e.shown }

func parsePin(pin string) ([]byte, error) {
	text, found := strings.CutPrefix(pin, "sha256:")
	for _, decode := range []func(string) ([]byte, error){
		func(s string) ([]byte, error) { return hex.DecodeString(strings.ReplaceAll(s, ":", "")) },
		base64.StdEncoding.DecodeString,
		base64.RawStdEncoding.DecodeString,
		base64.RawURLEncoding.DecodeString,
	} {
		if hash, err := decode(text); found && err == nil && len(hash) == sha256.Size {
			return hash, nil
		}
	}
	return nil, Usagef("--tls-pin %.80q: want sha256: and 64 hexadecimal digits (or base64), as the server prints it", pin)
}
