package server

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// CleanPrefix is a path prefix as it stands in front of our own paths: with a
// slash before and none behind. Empty: none.
func CleanPrefix(text string) (string, error) {
	prefix := "/" + strings.Trim(text, "/")
	if prefix == "/" {
		return "", nil
	}
	if path.Clean(prefix) != prefix || url.PathEscape(prefix) != strings.ReplaceAll(prefix, "/", "%2F") {
		return "", fmt.Errorf("path prefix %.80q: want something like /telepath", text)
	}
	return prefix, nil
}

// prefixed takes the prefix off a request's path. A proxy may have done so
// already, and who is near asks without.
func (s *Server) prefixed(next http.Handler) http.Handler {
	prefix := s.cfg.PathPrefix
	if prefix == "" {
		return next
	}
	strip := http.StripPrefix(prefix, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == prefix: // the page's addresses are relative: to work, it needs the slash
			http.Redirect(w, r, prefix+"/", http.StatusPermanentRedirect)
		case strings.HasPrefix(r.URL.Path, prefix+"/"):
			strip.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
