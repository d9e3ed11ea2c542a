// Package auth knows who may do what at the server.
//
// There are four roles. Three of them watch: a viewer sees, an operator also
// commands, an admin also manages the server. A device publishes and nothing
// else. A role is proved in one of three ways:
//
//   - a token, a lasting secret in a file of its own (tokens.go);
//   - a session, which is short, signed and held by nobody but its user: the
//     dashboard gets one for a token or a code (session.go);
//   - a login code, which works once and for ten minutes, and is only good for
//     a session (codes.go).
//
// Secrets are compared in constant time, never logged, and never in a URL
// except the login code, which stands in a fragment that is not sent.
package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Role says what the holder of a token may do.
type Role string

// The roles. The empty Role is nobody.
const (
	Device   Role = "device"
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Admin    Role = "admin"
)

// Roles are all roles; each has a token file of its name.
var Roles = [...]Role{Device, Viewer, Operator, Admin}

// rank orders the roles that watch; a device is not among them.
var rank = map[Role]int{Viewer: 1, Operator: 2, Admin: 3}

// Watches reports whether the role may open a viewer's link.
func (r Role) Watches() bool { return rank[r] > 0 }

// Includes reports whether r may do all that other may.
func (r Role) Includes(other Role) bool {
	return r == other || rank[other] > 0 && rank[r] >= rank[other]
}

// Identity is what a proof is worth.
type Identity struct {
	Role    Role
	Expires time.Time // zero: never
}

// Auth checks proofs. It is safe for concurrent use.
type Auth struct {
	tokens map[Role][sha256.Size]byte // set once: hashes, so that lengths do not show in timing
	key    []byte                     // set once: signs sessions
	posts  []byte                     // set once: makes the keys of devices that post
	turn   string                     // set once: makes credentials for TURN
	codes  codes
	tries  tries
}

// Open reads the secrets in dir, and makes those that are not there yet. It
// refuses files that others can read.
func Open(dir string) (*Auth, error) {
	a := &Auth{tokens: make(map[Role][sha256.Size]byte)}
	tokenDir := filepath.Join(dir, "tokens")
	if err := os.MkdirAll(tokenDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for tokens: %w", err)
	}
	for _, role := range Roles {
		token, err := secretFile(filepath.Join(tokenDir, string(role)), newToken(role))
		if err != nil {
			return nil, err
		}
		a.tokens[role] = sha256.Sum256([]byte(token))
	}
	key, err := secretFile(filepath.Join(dir, "session.key"), randomText(sessionKeyBytes))
	if err != nil {
		return nil, err
	}
	posts, err := secretFile(filepath.Join(dir, "posts.key"), randomText(postsKeyBytes))
	if err != nil {
		return nil, err
	}
	if a.turn, err = secretFile(filepath.Join(dir, "turn.key"), randomText(turnKeyBytes)); err != nil {
		return nil, err
	}
	a.key, a.posts = []byte(key), []byte(posts)
	return a, nil
}

// Check says what a token or session is worth. It looks at every role's token
// so that the time does not tell which one came close.
func (a *Auth) Check(proof string) (Identity, bool) {
	if id, ok := a.checkSession(proof, time.Now()); ok {
		return id, true
	}
	sum := sha256.Sum256([]byte(proof))
	found := Identity{}
	for _, role := range Roles {
		want := a.tokens[role]
		if subtle.ConstantTimeCompare(sum[:], want[:]) == 1 {
			found.Role = role
		}
	}
	return found, found.Role != ""
}
