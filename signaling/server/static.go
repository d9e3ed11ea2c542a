package server

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// dashboard serves the built web files. A path that is no file and looks like
// none is a place within the page, which finds its way itself.
func (s *Server) dashboard() http.Handler {
	files := s.cfg.Dashboard
	if files == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusNotFound, "unknown-path", "this server has no dashboard", "use `telepath view`")
		})
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			refuse(w, http.StatusMethodNotAllowed, "unknown-path", "only GET works here", "see docs/protocol.md")
			return
		}
		w.Header().Set("Cache-Control", cacheFor(name))
		if isPlace(files, name) {
			http.ServeFileFS(w, r, files, "index.html")
			return
		}
		serve.ServeHTTP(w, r)
	})
}

// cacheFor: names under assets/ hold a hash of their content, so what they
// name never changes. All else is asked for again each time.
func cacheFor(name string) string {
	if strings.HasPrefix(name, "assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "no-store"
}

// isPlace reports whether name stands for the page itself.
func isPlace(files fs.FS, name string) bool {
	if name == "" || name == "index.html" { // FileServer would redirect the latter
		return true
	}
	if path.Ext(name) != "" || strings.HasPrefix(name, "assets/") {
		return false
	}
	info, err := fs.Stat(files, name)
	return err != nil || info.IsDir()
}
