package tunnel

import (
	"net/url"
	"strings"
	"testing"
)

func TestWhichProxy(t *testing.T) {
	env := map[string]string{
		"HTTP_PROXY": "http://plain:3128", "HTTPS_PROXY": "http://secure:3128", "ALL_PROXY": "",
		"NO_PROXY": "internal.example,10.0.0.0/8,.sub.example,192.0.2.7:8443",
	}
	cases := []struct {
		scheme, addr string
		set          map[string]string
		want         string
	}{
		{"http", "server.example:80", nil, "http://plain:3128"},
		{"https", "server.example:443", nil, "http://secure:3128"},
		{"https", "internal.example:443", nil, ""},
		{"https", "a.internal.example:443", nil, ""},
		{"https", "sub.example:443", nil, "http://secure:3128"},
		{"https", "a.sub.example:443", nil, ""},
		{"https", "10.1.2.3:443", nil, ""},
		{"https", "192.0.2.7:8443", nil, ""},
		{"https", "192.0.2.7:443", nil, "http://secure:3128"},
		{"http", "127.0.0.1:8080", nil, ""},
		{"http", "localhost:8080", nil, ""},
		{"http", "[::1]:8080", nil, ""},
		{"http", "server.example:80", map[string]string{"HTTP_PROXY": ""}, ""},
		{"http", "server.example:80", map[string]string{"HTTP_PROXY": "", "ALL_PROXY": "all:8080"}, "http://all:8080"},
		{"https", "server.example:80", map[string]string{"HTTPS_PROXY": "", "ALL_PROXY": "https://all"}, "https://all"},
		{"https", "server.example:80", map[string]string{"HTTPS_PROXY": "", "ALL_PROXY": "socks5://all:1080"}, ""},
		{"http", "server.example:80", map[string]string{"NO_PROXY": "*"}, ""},
		{"http", "[2001:db8::7]:80", map[string]string{"NO_PROXY": "2001:db8::/32"}, ""},
		{"http", "[2001:db8::7]:80", map[string]string{"NO_PROXY": "[2001:db8::7]:80"}, ""},
		{"http", "[2001:db8::7]:80", map[string]string{"NO_PROXY": "[2001:db8::7]:81"}, "http://plain:3128"},
		{"http", "a.server.example:80", map[string]string{"NO_PROXY": " *.server.example , ,"}, ""},
		{"http", "notserver.example:80", map[string]string{"NO_PROXY": "server.example"}, "http://plain:3128"},
		{"http", "SERVER.example.:80", map[string]string{"NO_PROXY": "server.EXAMPLE:80"}, ""},
		{"http", "server.example:80", map[string]string{"NO_PROXY": "."}, "http://plain:3128"},
	}
	for _, c := range cases {
		for _, vars := range []map[string]string{env, c.set} {
			for name, value := range vars {
				t.Setenv(name, value)
				t.Setenv(strings.ToLower(name), "")
			}
		}
		got, err := New(Config{Scheme: c.scheme}).ProxyFor(c.addr)
		if err != nil || text(got) != c.want {
			t.Errorf("%s to %s with %v: %q, %v, want %q", c.scheme, c.addr, c.set, text(got), err, c.want)
		}
	}
}

// TestConfiguredProxy: what is configured does not ask the environment, also for this machine itself.
func TestConfiguredProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://plain:3128")
	t.Setenv("NO_PROXY", "*")
	proxy, err := ParseProxy("proxy:3128")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := New(Config{Proxy: proxy}).ProxyFor("127.0.0.1:80"); err != nil || text(got) != "http://proxy:3128" {
		t.Errorf("%q, %v", text(got), err)
	}
	t.Setenv("NO_PROXY", "")
	if got, err := New(Config{Scheme: "http", Direct: true}).ProxyFor("server.example:80"); err != nil || got != nil {
		t.Errorf("%q, %v", text(got), err)
	}
}

func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

func TestParseProxy(t *testing.T) {
	for in, want := range map[string]string{
		"http://u:p@proxy:3128": "http://u:p@proxy:3128",
		"u:p@proxy:3128":        "http://u:p@proxy:3128",
		"proxy":                 "http://proxy",
		"https://proxy":         "https://proxy",
		"[2001:db8::1]:3128":    "http://[2001:db8::1]:3128",
	} {
		if u, err := ParseProxy(in); err != nil || u.String() != want {
			t.Errorf("%s: %v, %v", in, u, err)
		}
	}
	for _, in := range []string{"", "http://", "socks5://u:secret@proxy", "http://u:secret@", "http://u:secret@pro xy", "ftp:secret"} {
		u, err := ParseProxy(in)
		if err == nil {
			t.Errorf("%q is taken as %v", in, u)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error has the password in it: %v", in, err)
		}
	}
}
