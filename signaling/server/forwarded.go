package server

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// forwarded makes a request that came through trusted proxies look as if its
// client had sent it here itself: RemoteAddr is the client's address, on which
// limits and logs build, and X-Forwarded-Proto says how it came. From all
// others what claims to say so is removed, so that nothing behind this can be
// misled.
func (s *Server) forwarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy := address(r)
		if !s.proxies.trust(proxy) {
			setForwarded(r.Header, "")
			next.ServeHTTP(w, r)
			return
		}
		client, scheme := s.proxies.origin(r.Header, proxy)
		setForwarded(r.Header, scheme)
		if client == proxy {
			next.ServeHTTP(w, r)
			return
		}
		if !s.gate.enterBehind(client) {
			s.refuse(w, &refusal{code: "too-many", reason: "too many requests from this address are open", remedy: "close some, or wait", again: time.Second})
			return
		}
		defer s.gate.leaveBehind(client)
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
		next.ServeHTTP(w, r)
	})
}

// setForwarded leaves of all that proxies add only what was found to be true.
func setForwarded(h http.Header, scheme string) {
	h.Del("Forwarded")
	h.Del("X-Forwarded-For")
	h.Del("X-Forwarded-Proto")
	if scheme != "" {
		h.Set("X-Forwarded-Proto", scheme)
	}
}

// forwardedScheme is how a request came to the proxy before us; empty: there
// is none that we trust, or it did not say.
func forwardedScheme(r *http.Request) string { return r.Header.Get("X-Forwarded-Proto") }

// requestScheme is how a request came, to a proxy before us or to us; empty: in the clear, or behind a proxy that we know nothing of.
func requestScheme(r *http.Request) string {
	if scheme := forwardedScheme(r); scheme != "" || r.TLS == nil {
		return scheme
	}
	return "https"
}

// overTLS reports whether the client's own connection is encrypted, as far as we know.
func overTLS(r *http.Request) bool { return r.TLS != nil || forwardedScheme(r) == "https" }

// origin is whom a trusted proxy says that a request is from, and its scheme,
// empty if not told. A proxy adds to one header and may pass on the other as
// the client wrote it: where both are there and differ, we cannot know which
// is the proxy's, and the request counts as the proxy's own.
func (p proxies) origin(h http.Header, proxy netip.Addr) (client netip.Addr, scheme string) {
	byX := p.walk(listFromRight(h.Values("X-Forwarded-For")), proxy)
	last, _ := nextFromRight(strings.Join(h.Values("X-Forwarded-Proto"), ","))
	scheme = schemeOf(last)
	if len(h.Values("Forwarded")) == 0 {
		return byX, scheme
	}
	elements := parseForwarded(h.Values("Forwarded"))
	byStandard := p.walk(forOf(elements), proxy)
	if len(h.Values("X-Forwarded-For")) > 0 && byStandard != byX {
		return proxy, ""
	}
	if scheme == "" && len(elements) > 0 {
		scheme = schemeOf(elements[0].proto)
	}
	return byStandard, scheme
}

// walk goes from us towards the client, as long as those whom it meets are to
// be believed. Each proxy tells whom it has its request from, in texts, the
// nearest first.
func (p proxies) walk(texts []string, proxy netip.Addr) netip.Addr {
	at := proxy
	for _, text := range texts {
		addr, ok := parseNode(text)
		if !ok || !p.trust(at) || addr.IsLoopback() && !at.IsLoopback() { // another machine's loopback is not ours, which has no limits
			return at
		}
		at = addr
	}
	return at
}

// maxHops is how many proxies are followed; more are somebody's invention.
const maxHops = 16

// listFromRight splits lists with commas, the last element first.
func listFromRight(values []string) (elements []string) {
	rest := strings.Join(values, ",")
	for rest != "" && len(elements) < maxHops {
		var last string
		last, rest = nextFromRight(rest)
		elements = append(elements, last)
	}
	return elements
}

func nextFromRight(list string) (last, rest string) {
	comma := strings.LastIndexByte(list, ',')
	if comma < 0 {
		return strings.TrimSpace(list), ""
	}
	return strings.TrimSpace(list[comma+1:]), list[:comma]
}

// parseNode reads an address, with or without port and brackets.
func parseNode(text string) (netip.Addr, bool) {
	if both, err := netip.ParseAddrPort(text); err == nil {
		return plain(both.Addr()), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return plain(addr), err == nil
}

func schemeOf(text string) string {
	if text = strings.ToLower(text); text == "http" || text == "https" {
		return text
	}
	return ""
}
