package server

import (
	"net"
	"net/http"
	"strings"
)

// policy is the dashboard's Content-Security-Policy. Scripts come from here
// alone and cannot be made of text (Trusted Types: one policy of the framework,
// and one of ours that lets the Worker start); links go back here alone.
// 'self' stands for ws: in connect-src too, but not in every browser: so the
// host, which was checked, is named.
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; " +
	"img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; connect-src 'self' ws://HOST wss://HOST; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default svelte-trusted-html"

// The paths of what a link over HTTP is made of.
const (
	pathPoll = "/v1/link/poll"
	pathUp   = "/v1/link/up"
)

// secure sets the headers of every answer. What a link is made of is no page, and comes dozens of times a second: it has
// none of those that are about pages.
func secure(h http.Header, r *http.Request) {
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodPost && (r.URL.Path == pathUp || r.URL.Path == pathPoll) {
		return
	}
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Content-Security-Policy", policyFor(r.Host))
	if trustworthy(r) {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
}

// trustworthy reports whether browsers heed an opener policy from here. From elsewhere they ignore it, with an error on the
// page's console.
func trustworthy(r *http.Request) bool {
	name, _ := splitHost(r.Host)
	ip := net.ParseIP(name)
	return overTLS(r) || name == "localhost" || ip != nil && ip.IsLoopback()
}

func policyFor(host string) string {
	if strings.ContainsAny(host, " ;,'\"") { // never a host; it is refused after this
		host = "invalid"
	}
	return strings.ReplaceAll(policy, "HOST", host)
}
