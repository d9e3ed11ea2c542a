package tunnel

import (
	"net/url"
	"testing"
)

func TestOrigin(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	expect := func(cfg Config, want string) {
		t.Helper()
		if got := New(cfg).Origin(); got != want {
			t.Errorf("the proxy is from %q, want %q", got, want)
		}
	}
	plain, secure := Config{Scheme: "http"}, Config{Scheme: "https"}
	expect(secure, "")
	t.Setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
	expect(secure, "")
	t.Setenv("ALL_PROXY", "127.0.0.1:3128")
	expect(secure, "ALL_PROXY")
	expect(plain, "ALL_PROXY")
	t.Setenv("https_proxy", "http://127.0.0.1:3129")
	expect(secure, "https_proxy")
	expect(plain, "ALL_PROXY")
	expect(Config{Scheme: "https", Proxy: &url.URL{Scheme: "http", Host: "127.0.0.1:3130"}}, "the settings")
	expect(Config{Scheme: "https", Direct: true}, "")
}

func TestLogin(t *testing.T) {
	proxy := startProxy(t, nil, wantsBasic("ada", "right"))
	d := New(Config{Proxy: proxy.url(url.UserPassword("ada", "right"))})
	if got := d.Login(); got != "" {
		t.Errorf("before anything: %q", got)
	}
	conn, err := d.DialContext(t.Context(), "tcp", echoServer(t))
	says(t, conn, err)
	if got := d.Login(); got != "Basic" {
		t.Errorf("logged in with %q", got)
	}
}
