package carrier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// Explain names what stopped a request to the server, for whichever carrier
// made it. A Failure stays what it is; nil is nil.
func Explain(err error) *Failure {
	var known *Failure
	if err == nil || errors.As(err, &known) {
		return known
	}
	// The wrappings of HTTP repeat the URL and say nothing more.
	var wrapped *url.Error
	inner := err
	if errors.As(err, &wrapped) {
		inner = wrapped.Err
	}
	if f := explainTLS(inner); f != nil {
		return f
	}
	return Fail(nameOf(inner), inner.Error(), err)
}

// nameOf is the name of a failure below or beside TLS.
func nameOf(err error) string {
	var unknown *net.DNSError
	switch {
	case errors.As(err, &unknown):
		return "dns"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL),
		errors.Is(err, fs.ErrPermission): // what a local firewall says
		return "unreachable"
	case timedOut(err):
		return "timeout"
	case isNoHTTP(err):
		return "not-telepath"
	}
	return "cut"
}

func timedOut(err error) bool {
	var t net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, syscall.ETIMEDOUT) || errors.As(err, &t) && t.Timeout()
}

// isNoHTTP: something answered in another language. Package net/http has no
// type for it.
func isNoHTTP(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	return strings.Contains(err.Error(), "malformed HTTP")
}

// unexpected is the error of a check of our own, such as a pin's, that knows
// which certificate it was shown.
type unexpected interface {
	error
	Shown() *x509.Certificate
}

// explainTLS names failures of TLS; nil: it is none.
func explainTLS(err error) *Failure {
	var untrusted *tls.CertificateVerificationError
	var unpinned unexpected
	var noTLS tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &unpinned):
		return explainPin(unpinned, err)
	case errors.As(err, &untrusted):
		return Fail("tls-untrusted", untrusted.Err.Error()+issuedBy(untrusted.UnverifiedCertificates), err)
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &noTLS):
		return Fail("tls-failed", "there is no TLS at that port: use http:// in the URL", err)
	case errors.As(err, &alert), strings.Contains(err.Error(), "tls: "):
		return Fail("tls-failed", err.Error(), err)
	}
	return nil
}

// explainPin: whoever was to have one certificate shows another. A server that
// was set up anew has signed its own; what intercepts signs with its authority.
func explainPin(err unexpected, cause error) *Failure {
	shown := err.Shown()
	if shown == nil || shown.Issuer.String() == shown.Subject.String() {
		return Fail("tls-untrusted", err.Error(), cause)
	}
	return Fail("tls-intercepted", err.Error()+issuedBy([]*x509.Certificate{shown}), cause)
}

func issuedBy(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return ""
	}
	return fmt.Sprintf("; issued by %s", IssuerOf(chain[0]))
}

// maxIssuer bounds, in bytes, what of a certificate's issuer is shown: whoever
// made it has chosen the text.
const maxIssuer = 128

// IssuerOf names for people who has issued a certificate.
func IssuerOf(c *x509.Certificate) string {
	name := c.Issuer.CommonName
	if name == "" {
		name = c.Issuer.String()
	}
	if name == "" {
		return "an issuer without a name"
	}
	return fmt.Sprintf("%.*q", maxIssuer, name)
}
