package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// authenticate says which session a request is of, and the key that it must be
// signed with. Who has an allocation may keep it beyond the life of his
// credentials: browsers have no way to give a connection new ones.
func (s *Server) authenticate(r *turn.RequestAttributes) (session string, key []byte, ok bool) {
	session, expires, ok := parseUsername(r.Username)
	switch {
	case !ok || r.Realm != realm:
		s.counts.refuse(WrongUser)
		return "", nil, false
	case r.Method == stun.MethodAllocate && time.Now().After(expires):
		s.counts.refuse(Expired)
		return "", nil, false
	case s.table.isRevoked(session):
		s.counts.refuse(Revoked)
		return "", nil, false
	}
	return session, turn.GenerateAuthKey(r.Username, realm, s.credentials.password(r.Username)), true
}

func (s *Server) authenticated(_, _ net.Addr, _, _, _, _ string, verdict bool) {
	if !verdict {
		s.counts.refuse(WrongMAC)
	}
}

// mayAllocate is asked before an allocation is made; no answers 486.
func (s *Server) mayAllocate(session, _ string, src net.Addr) bool {
	if s.table.mayAllocate(session, client(src).Addr()) {
		return true
	}
	s.counts.refuse(OverQuota)
	return false
}

// relays makes relayed addresses for pion. An error answers 508.
type relays struct{ s *Server }

// Validate implements turn.RelayAddressGenerator.
func (g relays) Validate() error { return nil }

// AllocatePacketConn implements turn.RelayAddressGenerator.
func (g relays) AllocatePacketConn(cfg turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	if cfg.RequestedPort < 0 || cfg.RequestedPort > math.MaxUint16 {
		return nil, nil, errTaken
	}
	var r *relay
	var err error
	if cfg.UserID == "" { // it looks for an even number (RFC 8656, section 7.2), and comes again with it
		r, err = g.s.table.unregistered()
	} else {
		r, err = g.s.table.allocate(cfg.UserID, cfg.Network == "udp6", uint16(cfg.RequestedPort))
	}
	if err != nil {
		g.s.counts.refuse(refusalOf(err))
		return nil, nil, err
	}
	return r, r.LocalAddr(), nil
}

func refusalOf(err error) Refusal {
	switch {
	case errors.Is(err, errQuota):
		return OverQuota
	case errors.Is(err, errRevoked):
		return Revoked
	}
	return Full
}

var errTransport = errors.New("relayed addresses are of UDP")

// AllocateListener implements turn.RelayAddressGenerator: there are no TCP allocations.
func (g relays) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	g.s.counts.refuse(Transport)
	return nil, nil, errTransport
}

// AllocateConn implements turn.RelayAddressGenerator.
func (g relays) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) {
	g.s.counts.refuse(Transport)
	return nil, errTransport
}

// logs lets pion speak to slog, at debug level. Anybody can make it say
// something, so it is heard only by who wants to.
type logs struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l logs) NewLogger(string) logging.LeveledLogger { return pionLog(l) }

type pionLog struct{ log *slog.Logger }

func (l pionLog) print(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("pion: "+fmt.Sprintf(format, args...), "scope", "turn")
	}
}

func (l pionLog) Trace(string)                {}
func (l pionLog) Tracef(string, ...any)       {}
func (l pionLog) Debug(string)                {}
func (l pionLog) Debugf(string, ...any)       {}
func (l pionLog) Info(string)                 {}
func (l pionLog) Infof(string, ...any)        {}
func (l pionLog) Warn(m string)               { l.print("%s", m) }
func (l pionLog) Warnf(f string, args ...any) { l.print(f, args...) }
func (l pionLog) Error(m string)              { l.print("%s", m) }
func (l pionLog) Errorf(f string, a ...any)   { l.print(f, a...) }
