package server

import (
	"net/http"

	"github.com/telepath-iot/telepath/signaling/auth"
)

func (s *Server) routes() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET /v1/link", s.serveLink)
	api.HandleFunc("GET /v1/link/sse", s.web.ServeStream)
	api.HandleFunc("POST /v1/link/rtc", s.serveChannels)
	api.HandleFunc("POST /v1/login", s.serveLogin)
	api.HandleFunc("POST /v1/login-codes", s.serveLoginCodes)
	api.HandleFunc("GET /v1/devices", s.serveDevices)
	api.HandleFunc("DELETE /v1/devices/{id}", s.serveRemove)
	api.HandleFunc("GET /v1/devices/{name}/latest", s.serveLatest)
	api.HandleFunc("POST /v1/devices/{name}/samples", s.serveSamples)
	api.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "unknown-path", "there is nothing at this path for this method", "see docs/protocol.md")
	})
	api.Handle("/", s.dashboard())

	links := http.NewServeMux() // these are served to their end, also while the server drains
	links.HandleFunc("POST "+pathPoll, s.web.ServePoll)
	links.HandleFunc("POST "+pathUp, s.web.ServeUp)
	links.Handle("/", s.whenReady(api))

	mux := http.NewServeMux()
	s.addHealth(mux)
	mux.Handle("/", s.guard(links))
	return s.judged(s.forwarded(s.prefixed(mux)))
}

func (s *Server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	s.addHealth(mux)
	mux.Handle("GET /metrics", s.ownName(s.metrics()))
	return s.forwarded(mux)
}

// ownName lets requests under our own names pass: a page that had its name
// point here would read along otherwise.
func (s *Server) ownName(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if problem := s.hosts.check(r); problem != nil {
			s.refuse(w, problem)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// addHealth serves the probes of whatever watches over the process. They tell
// nothing, so they ask nothing.
func (s *Server) addHealth(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.ready.Load() {
			http.Error(w, "draining", http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte("ready\n"))
	})
}

// guard checks Host and Origin of every request, and sets the headers that
// tell a browser to be strict.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header(), r)
		if problem := s.hosts.check(r); problem != nil {
			s.refuse(w, problem)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// whenReady sends everybody away while the server drains.
func (s *Server) whenReady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ready.Load() {
			s.refuse(w, draining())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// identify says who sends a request; nobody unless a valid token came or the
// server is open.
func (s *Server) identify(token string) (auth.Identity, bool) {
	if token == "" {
		return auth.Identity{Role: s.cfg.OpenRole}, s.cfg.OpenRole != ""
	}
	return s.auth.Check(token)
}
