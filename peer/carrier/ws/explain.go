package ws

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

// explained is an error in words for people; what it is made of stays for errors.As.
type explained struct {
	words string
	cause error
}

func (e *explained) Error() string { return e.words }
func (e *explained) Unwrap() error { return e.cause }

// explain says what a failure to connect means and what can be done about it.
// The wrappings of HTTP and WebSocket repeat the URL and say nothing more.
func explain(err error) error {
	inner := err
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		inner = wrapped.Err
	}
	words := inner.Error()
	if remedy := remedyFor(err); remedy != "" {
		words = fmt.Sprintf("%s (%s)", remedy, words)
	}
	return &explained{words, err}
}

func remedyFor(err error) string {
	var name *net.DNSError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: is telepath-signaling running?"
	case errors.As(err, &name):
		return "no address is known for this name: check the URL"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the server does not speak TLS there: use http:// in its URL"
	case errors.As(err, &untrusted):
		return "its certificate is not trusted: give --tls-ca or --tls-pin"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: check address and firewall"
	}
	return ""
}
