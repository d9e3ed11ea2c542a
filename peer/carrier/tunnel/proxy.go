package tunnel

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// ParseProxy reads a proxy's URL as people write it: http:// may be left out.
// The error does not repeat what may be a password.
func ParseProxy(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Hostname() == "":
		return nil, fmt.Errorf("the proxy's address is no URL: want http://[USER:PASSWORD@]HOST:PORT")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the proxy's address begins with %.16q: want http:// or https://", u.Scheme+"://")
	}
	return u, nil
}

// chooser says which proxy a URL goes through, if any.
func (c Config) chooser() func(*url.URL) (*url.URL, error) {
	switch {
	case c.Direct:
		return func(*url.URL) (*url.URL, error) { return nil, nil }
	case c.Proxy != nil:
		return func(*url.URL) (*url.URL, error) { return c.Proxy, nil }
	}
	choose := environment().ProxyFunc()
	return func(to *url.URL) (*url.URL, error) {
		u, err := choose(to)
		if u != nil && err == nil {
			return ParseProxy(u.String())
		}
		return nil, err
	}
}

// environment is HTTP_PROXY, HTTPS_PROXY and NO_PROXY as most programs read
// them, and ALL_PROXY, as curl does, where it names an HTTP proxy.
func environment() *httpproxy.Config {
	env := httpproxy.FromEnvironment()
	all := os.Getenv("all_proxy")
	if all == "" {
		all = os.Getenv("ALL_PROXY")
	}
	if _, err := ParseProxy(all); all == "" || err != nil {
		return env // a SOCKS proxy, for programs that know those
	}
	if env.HTTPProxy == "" {
		env.HTTPProxy, env.CGI = all, false // no request header can set it
	}
	if env.HTTPSProxy == "" {
		env.HTTPSProxy = all
	}
	return env
}

// hostPort of a proxy's URL. Without a port it is that of its scheme.
func hostPort(proxy *url.URL) string {
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[proxy.Scheme]
	}
	return net.JoinHostPort(strings.Trim(proxy.Hostname(), "[]"), port)
}
