package server

import "net/http"

// encrypted lets requests in that came in TLS, where this server ends TLS. A
// browser that was sent to http:// is sent on to https://, under our own names
// only. Whoever else came in the clear is told so and gets nothing: what he
// sent could be read by everybody between, a token too.
func (s *Server) encrypted(next http.Handler) http.Handler {
	if s.tls == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		if !isPlainVisit(r) || s.hosts.check(r) != nil {
			s.refuse(w, &refusal{code: "forbidden", reason: "this port serves TLS, but the request came without it", remedy: "use https:// in the URL"})
			return
		}
		w.Header().Set("Cache-Control", "no-store") // tomorrow there may be no TLS
		http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
}

// isPlainVisit reports whether a request is a browser's that asks for a page or a file.
func isPlainVisit(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		r.Header.Get("Authorization") == "" && !hasToken(r, "Connection", "upgrade")
}
