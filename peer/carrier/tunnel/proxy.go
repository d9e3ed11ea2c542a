package tunnel

import (
	"fmt"
	"net"
	"net/url"
	"strings"
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
	env := readEnvironment()
	return func(to *url.URL) (*url.URL, error) {
		proxy := env.proxy(to)
		if proxy == "" {
			return nil, nil
		}
		return ParseProxy(proxy)
	}
}

// hostPort of a proxy's URL.
func hostPort(proxy *url.URL) string {
	return net.JoinHostPort(strings.Trim(proxy.Hostname(), "[]"), portOf(proxy))
}

// portOf a URL: without one it is that of its scheme.
func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
