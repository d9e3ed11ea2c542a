package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SessionLife is how long a session is good for.
const SessionLife = 7 * 24 * time.Hour

// A session says all there is to know about itself, so that the server keeps
// no table and a restart ends none:
//
//	s1.ROLE.EXPIRES.MAC
//
// EXPIRES is in Unix seconds, MAC is HMAC-SHA256 of what stands before it.
// One cannot be taken back alone: deleting the key file ends all.
const sessionPrefix = "s1."

// NewSession signs a session for a role that watches.
func (a *Auth) NewSession(role Role) (session string, expires time.Time) {
	expires = time.Now().Add(SessionLife).Truncate(time.Second)
	claim := fmt.Sprintf("%s%s.%d", sessionPrefix, role, expires.Unix())
	return claim + "." + a.mac(claim), expires
}

func (a *Auth) checkSession(session string, now time.Time) (Identity, bool) {
	dot := strings.LastIndexByte(session, '.')
	if !strings.HasPrefix(session, sessionPrefix) || dot < len(sessionPrefix) {
		return Identity{}, false
	}
	claim, mac := session[:dot], session[dot+1:]
	if !hmac.Equal([]byte(mac), []byte(a.mac(claim))) {
		return Identity{}, false
	}
	return parseClaim(claim, now)
}

// parseClaim reads a claim whose signature is right.
func parseClaim(claim string, now time.Time) (Identity, bool) {
	role, expires, _ := strings.Cut(strings.TrimPrefix(claim, sessionPrefix), ".")
	unix, err := strconv.ParseInt(expires, 10, 64)
	id := Identity{Role: Role(role), Expires: time.Unix(unix, 0)}
	return id, err == nil && id.Role.Watches() && now.Before(id.Expires)
}

func (a *Auth) mac(claim string) string {
	h := hmac.New(sha256.New, a.key)
	h.Write([]byte(claim))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
