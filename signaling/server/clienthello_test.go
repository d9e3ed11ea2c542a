package server

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/signaling/auth"
)

const (
	chromium  = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36"
	firefox   = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"
	safari    = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15"
	iPhone    = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1"
	epiphany  = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"
	oldEdge   = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3282.140 Safari/537.36 Edge/18.17763"
	newEdge   = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36 Edg/146.0.0.0"
	oldSafari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_6) AppleWebKit/601.7.8 (KHTML, like Gecko) Version/9.1.3 Safari/601.7.8"
	oldChrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/49.0.2623.112 Safari/537.36"
)

func TestSendsGrease(t *testing.T) {
	for userAgent, want := range map[string]bool{
		strings.Replace(chromium, "Chrome", "HeadlessChrome", 1): true,
		chromium: true, newEdge: true, safari: true, iPhone: true,
		firefox: false, epiphany: false, oldEdge: false, oldSafari: false, oldChrome: false,
		"": false, "Go-http-client/1.1": false, "curl/8.14.1": false,
		"Chrome/": false, "Chrome/x.": false,
	} {
		if got := sendsGrease(userAgent); got != want {
			t.Errorf("%q: %t", userAgent, got)
		}
	}
}

func TestHasGrease(t *testing.T) {
	for _, c := range []struct {
		ciphers, extensions []uint16
		want                bool
	}{
		{[]uint16{0x3a3a, 0x1301}, []uint16{0x0000, 0x0010}, true},
		{[]uint16{0x1301}, []uint16{0xfafa, 0x0000, 0xcaca}, true},
		{[]uint16{0x1301, 0x0a1a, 0x0a0b, 0xaaab}, []uint16{0x000a, 0x0a00}, false},
		{nil, nil, false},
	} {
		if got := hasGrease(&tls.ClientHelloInfo{CipherSuites: c.ciphers, Extensions: c.extensions}); got != c.want {
			t.Errorf("%x, %x: %t", c.ciphers, c.extensions, got)
		}
	}
}

// TestInterceptedIsTold: the client of this test is no browser, and so is what a box would be that passes on a browser's requests.
func TestInterceptedIsTold(t *testing.T) {
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, c := range map[string]struct {
		cfg    Config
		header []string
		want   bool
	}{
		"Chromium, opened":            {Config{TLSSelf: true}, []string{"User-Agent", chromium}, true},
		"nothing is known of Firefox": {Config{TLSSelf: true}, []string{"User-Agent", firefox}, false},
		"programs look themselves":    {Config{TLSSelf: true}, nil, false},
		"no TLS":                      {Config{}, []string{"User-Agent", chromium}, false},
		"a trusted proxy":             {Config{TLSSelf: true, TrustProxy: here}, []string{"User-Agent", chromium}, false},
		"a proxy that says so":        {Config{TLSSelf: true}, []string{"User-Agent", chromium, "X-Forwarded-For", "192.0.2.5"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.cfg)
			for _, rung := range []ladder.Rung{ladder.WS, ladder.SSE, ladder.Poll} {
				header := http.Header{"Authorization": {"Bearer " + s.token(t, auth.Viewer)}}
				for i := 0; i < len(c.header); i += 2 {
					header.Set(c.header[i], c.header[i+1])
				}
				welcome, _ := runLink(t, s.open(t, rung, header)).nextSignal(signal.Welcome)
				if welcome.Intercepted != c.want {
					t.Errorf("%v: intercepted %t, want %t", rung, welcome.Intercepted, c.want)
				}
			}
		})
	}
}
