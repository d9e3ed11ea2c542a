package tunnel

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// environment is what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say, as most programs read them, and ALL_PROXY, as curl does, where it
// names an HTTP proxy. It is read here, and not by golang.org/x/net, because that brings 250 kB of tables for names that are not
// ASCII: half of all that an agent may grow on a small board.
type environment struct {
	plain, secure string // the proxy for http and https; empty: none
	exempt        []exemption
}

func readEnvironment() environment {
	e := environment{plain: variable("HTTP_PROXY"), secure: variable("HTTPS_PROXY"), exempt: exemptions(variable("NO_PROXY"))}
	if os.Getenv("REQUEST_METHOD") != "" { // in CGI, HTTP_PROXY is what a client sent as its header Proxy
		e.plain = ""
	}
	all := variable("ALL_PROXY")
	if _, err := ParseProxy(all); all == "" || err != nil {
		return e // a SOCKS proxy, for programs that know those
	}
	if e.plain == "" {
		e.plain = all
	}
	if e.secure == "" {
		e.secure = all
	}
	return e
}

// variable of that name, in capitals or not.
func variable(name string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return os.Getenv(strings.ToLower(name))
}

// proxy for a URL; empty: none.
func (e environment) proxy(to *url.URL) string {
	choice := map[string]string{"http": e.plain, "https": e.secure}[to.Scheme]
	if choice == "" {
		return ""
	}
	host, port := strings.TrimSuffix(strings.ToLower(to.Hostname()), "."), portOf(to)
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && ip.Unmap().IsLoopback() {
		return ""
	}
	for _, x := range e.exempt {
		if x.covers(host, port, ip.Unmap()) {
			return ""
		}
	}
	return choice
}

// exemption is an element of NO_PROXY.
type exemption struct {
	all    bool
	net    netip.Prefix // if valid
	name   string       // itself, unless it began with a dot, and all below it
	strict bool         // only what is below it
	port   string       // empty: any
}

func exemptions(text string) (all []exemption) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.ToLower(strings.TrimSpace(part)); part != "" {
			all = append(all, parseExemption(part))
		}
	}
	return all
}

func parseExemption(part string) exemption {
	if part == "*" {
		return exemption{all: true}
	}
	if network, err := netip.ParsePrefix(part); err == nil {
		return exemption{net: network.Masked()}
	}
	var x exemption
	if host, port, err := net.SplitHostPort(part); err == nil {
		part, x.port = host, port
	}
	if ip, err := netip.ParseAddr(strings.Trim(part, "[]")); err == nil {
		ip = ip.Unmap()
		x.net = netip.PrefixFrom(ip, ip.BitLen())
		return x
	}
	part = strings.TrimPrefix(part, "*")
	x.name, x.strict = strings.CutPrefix(part, ".")
	x.name = strings.TrimSuffix(x.name, ".")
	return x
}

func (x exemption) covers(host, port string, ip netip.Addr) bool {
	switch {
	case x.all:
		return true
	case x.port != "" && x.port != port:
		return false
	case x.net.IsValid():
		return ip.IsValid() && x.net.Contains(ip)
	case x.name == "":
		return false
	}
	return host == x.name && !x.strict || strings.HasSuffix(host, "."+x.name)
}
