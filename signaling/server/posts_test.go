package server

import (
	"net/http"
	"net/netip"
	"testing"
)

// TestWhoSharesPlacesOfPosts: what one machine may have for sure is one sender, and what may stand for many is none.
func TestWhoSharesPlacesOfPosts(t *testing.T) {
	s := &Server{proxies: trusted(t, "10.0.0.1")}
	for from, want := range map[string]netip.Addr{
		"192.0.2.7:1":         netip.MustParseAddr("192.0.2.7"),
		"[2001:db8::1:2]:1":   netip.MustParseAddr("2001:db8::"),
		"[fd00::1:2]:1":       netip.MustParseAddr("fd00::1:2"),
		"127.0.0.1:1":         {},
		"[::1]:1":             {},
		"10.0.0.1:1":          {},
		"[::ffff:10.0.0.1]:1": {},
	} {
		if got := s.postsFrom(&http.Request{RemoteAddr: from}); got != want {
			t.Errorf("from %s: %v, want %v", from, got, want)
		}
	}
}
