package tunnel

import "os"

// Origin says where the proxy was named: a variable of the environment, or
// "the settings". Empty: nowhere. One that is named may still not be for every
// address: see ProxyFor.
func (d *Dialer) Origin() string {
	switch {
	case d.cfg.Direct:
		return ""
	case d.cfg.Proxy != nil:
		return "the settings"
	}
	names := []string{"HTTPS_PROXY", "https_proxy"}
	if d.cfg.Scheme == "http" {
		names = []string{"HTTP_PROXY", "http_proxy"}
	}
	for _, name := range names {
		if os.Getenv(name) != "" {
			return name
		}
	}
	for _, name := range []string{"all_proxy", "ALL_PROXY"} {
		if _, err := ParseProxy(os.Getenv(name)); err == nil {
			return name
		}
	}
	return ""
}

// Login is the scheme under which the proxy took user and password; empty: it
// has not asked for them, or has not taken them.
func (d *Dialer) Login() string {
	l := &d.login
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.proved {
		return ""
	}
	return l.method.String()
}
