package room

import (
	"encoding/json"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/signal"
)

// TURN knows the TURN servers that the two ends of a Conn may use.
type TURN interface {
	// Servers makes credentials for one end of a Conn. host is where that end
	// reached this server, HOST or HOST:PORT of its request; empty: what is told has
	// to do without, because that end's link is to another server. None: there is
	// no TURN server for it.
	Servers(conn, host string) []signal.Server
	// Revoke ends what a Conn that is over has at its servers. It does not wait.
	Revoke(conn string)
}

// turnServers are what both ends of a Conn are told. They get credentials of the
// same server, or none: two ends at two TURN servers do not meet. The device's
// home tells both, and knows of a viewer behind a trunk no name to tell.
func (r *Room) turnServers(c *Conn, session *Session) (viewer, device []signal.Server) {
	if r.cfg.TURN == nil || session == nil || session.home != "" {
		return nil, nil
	}
	ofViewer, ofDevice := c.viewer.host, session.host
	if c.viewer.trunk {
		ofViewer, ofDevice = "", ""
	}
	viewer, device = r.cfg.TURN.Servers(c.id, ofViewer), r.cfg.TURN.Servers(c.id, ofDevice)
	if len(viewer) == 0 || len(device) == 0 {
		return nil, nil
	}
	return viewer, device
}

// tellServers tells a viewer of TURN servers that no Conn is for: to try them.
func (v *Viewer) tellServers() {
	m := signal.Message{Type: signal.Servers}
	if turn := v.room.cfg.TURN; turn != nil && !v.trunk {
		m.Servers = turn.Servers(uuid.NewString(), v.host)
	}
	Tell(v.link, 0, m)
}

// listed is a list as a member of a signal; nil for none.
func listed(servers []signal.Server) json.RawMessage {
	if len(servers) == 0 {
		return nil
	}
	b, err := json.Marshal(servers)
	if err != nil { // strings and numbers always encode
		return nil
	}
	return b
}
