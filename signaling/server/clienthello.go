package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/telepath-iot/telepath/signaling/cert"
	"github.com/telepath-iot/telepath/signaling/port"
)

// A page is not shown the certificates of its connections. Whether something
// between opens TLS can be told from here all the same, for browsers that put
// values of no meaning into each ClientHello (GREASE, RFC 8701): what opens TLS
// makes a ClientHello of its own, without them, and passes on the request,
// which still names the browser.

// clientHello is what was seen of the ClientHello that a connection began with, and what it was shown.
type clientHello struct {
	grease bool
	shown  *cert.Shown
}

type clientHelloKey struct{}

// noteClientHello notes it with the connection. It changes nothing of the handshake (tls.Config.GetConfigForClient).
func (s *Server) noteClientHello(info *tls.ClientHelloInfo) (*tls.Config, error) {
	port.Note(info, clientHello{hasGrease(info), s.certs.Shown(info.ServerName)})
	return nil, nil
}

// withClientHello hands what was noted on to the connection's requests (http.Server.ConnContext).
func withClientHello(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, clientHelloKey{}, port.Noted(conn))
}

// helloOf is what was noted of the connection of a request; false: it did not come in TLS.
func helloOf(r *http.Request) (clientHello, bool) {
	hello, ok := r.Context().Value(clientHelloKey{}).(clientHello)
	return hello, ok
}

// keyHash is of the key in the certificate that the client of a request was shown; nil without TLS.
func keyHash(r *http.Request) []byte {
	if hello, ok := helloOf(r); ok {
		return hello.shown.KeyHash
	}
	return nil
}

func hasGrease(info *tls.ClientHelloInfo) bool {
	return slices.ContainsFunc(info.CipherSuites, isGrease) || slices.ContainsFunc(info.Extensions, isGrease)
}

// isGrease: the sixteen values 0x0A0A, 0x1A1A, … 0xFAFA (RFC 8701, section 2).
func isGrease(value uint16) bool { return value&0x0f0f == 0x0a0a && value>>8 == value&0xff }

type openedKey struct{}

// judged notes of each request whether something between has opened its TLS.
// It comes before the headers that proxies add are taken away: a proxy that
// adds them, or a PROXY header, was put there by whom the server belongs to,
// and may end TLS and begin it again.
func (s *Server) judged(next http.Handler) http.Handler {
	if s.tls == nil || s.cfg.ProxyProtocol {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.proxies.trust(address(r)) && !saysForwarded(r.Header) && tlsOpened(r) {
			r = r.WithContext(context.WithValue(r.Context(), openedKey{}, true))
		}
		next.ServeHTTP(w, r)
	})
}

// intercepted is what judged noted. False: nothing is known.
func intercepted(r *http.Request) bool {
	opened, _ := r.Context().Value(openedKey{}).(bool)
	return opened
}

func saysForwarded(h http.Header) bool {
	return h.Get("Forwarded") != "" || h.Get("X-Forwarded-For") != "" || h.Get("X-Forwarded-Proto") != ""
}

// tlsOpened: the request names a browser that would have sent GREASE, and there was none.
func tlsOpened(r *http.Request) bool {
	hello, ok := helloOf(r)
	return ok && !hello.grease && sendsGrease(r.UserAgent())
}

// The oldest versions that are taken to send GREASE always. Both families began years earlier.
const (
	greaseChrome = 80
	greaseSafari = 15
)

var (
	chromeVersion = regexp.MustCompile(`\b(?:Headless)?Chrome/(\d+)\.`)
	safariVersion = regexp.MustCompile(`\((?:Macintosh|iPhone|iPad)\b.*\bVersion/(\d+)\..*\bSafari/`) // others use its engine over TLS of their own
	otherTLS      = []string{"Edge/"}                                                                 // says Chrome, and was none
)

// sendsGrease reports whether a User-Agent is that of a browser which sends
// GREASE in each ClientHello. False: it does not, or nobody knows.
func sendsGrease(userAgent string) bool {
	if slices.ContainsFunc(otherTLS, func(name string) bool { return strings.Contains(userAgent, name) }) {
		return false
	}
	return versionOf(userAgent, chromeVersion) >= greaseChrome || versionOf(userAgent, safariVersion) >= greaseSafari
}

// versionOf is the first number of a version in a User-Agent; 0: it has none.
func versionOf(userAgent string, pattern *regexp.Regexp) int {
	found := pattern.FindStringSubmatch(userAgent)
	if found == nil {
		return 0
	}
	version, _ := strconv.Atoi(found[1]) // one that does not fit is the largest there is
	return version
}
