package carrier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
)

// pinned is the error of a pin's check.
type pinned struct{ shown *x509.Certificate }

func (pinned) Error() string              { return "not the pin" }
func (p pinned) Shown() *x509.Certificate { return p.shown }

func TestExplain(t *testing.T) {
	op := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://x", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	cert := func(subject, issuer string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: subject}, Issuer: pkix.Name{CommonName: issuer}}
	}
	long := strings.Repeat("x", 10_000)
	cases := []struct {
		err  error
		want string
		says string
	}{
		{op(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "refused", ""},
		{op(os.NewSyscallError("connect", syscall.ENETUNREACH)), "unreachable", ""},
		{op(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "unreachable", ""},
		{op(os.NewSyscallError("connect", syscall.EPERM)), "unreachable", ""},
		{op(os.NewSyscallError("connect", syscall.ETIMEDOUT)), "timeout", ""},
		{op(&net.DNSError{Name: "x", IsTimeout: true}), "dns", ""},
		{context.DeadlineExceeded, "timeout", ""},
		{op(os.NewSyscallError("read", syscall.ECONNRESET)), "cut", ""},
		{io.ErrUnexpectedEOF, "cut", ""},
		{errors.New(`malformed HTTP response "SSH-2.0"`), "not-telepath", "SSH"},
		{http.ErrSchemeMismatch, "tls-failed", "http://"},
		{tls.RecordHeaderError{Msg: "x"}, "tls-failed", "http://"},
		{op(errors.New("remote error: tls: handshake failure")), "tls-failed", "handshake failure"},
		{&tls.CertificateVerificationError{
			UnverifiedCertificates: []*x509.Certificate{cert("server", "Corporate Eye")}, Err: x509.UnknownAuthorityError{},
		}, "tls-untrusted", `issued by "Corporate Eye"`},
		{pinned{cert("telepath a", "telepath a")}, "tls-untrusted", "not the pin"},
		{pinned{cert("telepath a", "Corporate Eye")}, "tls-intercepted", `issued by "Corporate Eye"`},
		{pinned{cert("a", long)}, "tls-intercepted", "issued by"},
		{pinned{}, "tls-untrusted", "not the pin"},
		{fmt.Errorf("wrapped: %w", Fail("proxy-forbidden", "d", nil)), "proxy-forbidden", "d"},
	}
	for _, c := range cases {
		f := Explain(c.err)
		if f.Name != c.want || !strings.Contains(f.Error(), c.says) || f.Reason == "" || len(f.Error()) > 1000 {
			t.Errorf("%v: %s, %v", c.err, f.Name, f)
		}
		if !strings.HasSuffix(f.Brief(), "("+c.want+")") || strings.Contains(f.Error(), "https://x") {
			t.Errorf("%s, %s", f.Brief(), f.Error())
		}
	}
	if Explain(nil) != nil {
		t.Error("nothing is explained")
	}
}
