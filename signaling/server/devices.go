package server

import (
	"net/http"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/signaling/auth"
)

func (s *Server) serveDevices(w http.ResponseWriter, r *http.Request) {
	if problem := s.require(r, auth.Viewer); problem != nil {
		s.refuse(w, problem)
		return
	}
	answer(w, http.StatusOK, struct {
		Devices []signal.Device `json:"devices"`
	}{s.room.Devices()})
}

func (s *Server) serveRemove(w http.ResponseWriter, r *http.Request) {
	if problem := s.require(r, auth.Admin); problem != nil {
		s.refuse(w, problem)
		return
	}
	if no := s.room.Remove(r.PathValue("id")); no != nil {
		s.refuse(w, fromRoom(no))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
