package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/room"
)

// refusal is a no to an HTTP request.
type refusal struct {
	code   string // of wire.Codes, which has the status
	reason string
	remedy string
	again  time.Duration // for Retry-After; 0: none
}

func draining() *refusal {
	return &refusal{code: "draining", reason: "this server is going down", remedy: "connect again: another server, or this one restarted, will answer"}
}

// refuse answers a request with a refusal and counts it.
func (s *Server) refuse(w http.ResponseWriter, why *refusal) {
	s.counts.refused(why.code)
	if why.again > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(why.again/time.Second)+1))
	}
	refuse(w, wire.CodeByName(why.code).HTTP, why.code, why.reason, why.remedy)
}

func refuse(w http.ResponseWriter, status int, code, reason, remedy string) {
	answer(w, status, struct {
		Code   string `json:"code"`
		Reason string `json:"reason"`
		Remedy string `json:"remedy"`
	}{code, reason, remedy})
}

// answer sends v as JSON that no cache keeps.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // an error here is the client's going away
}

// fromRoom is a room's refusal as one of HTTP.
func fromRoom(r *room.Refusal) *refusal {
	return &refusal{code: r.Code, reason: r.Reason, remedy: r.Remedy}
}
