package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"sync"
	"time"
)

// Limits of login codes.
const (
	// CodeLife is how long a login code is good for.
	CodeLife = 10 * time.Minute

	codeBytes = 10 // 80 bits: 16 letters
	maxCodes  = 64 // outstanding at once; more push out the oldest
)

// codeAlphabet is Crockford's without the letters that look like digits.
var codeAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// codes are the outstanding login codes, by hash: a look at memory or the
// time of a comparison gives none away.
type codes struct {
	mu   sync.Mutex
	open []code
}

type code struct {
	hash    [sha256.Size]byte
	role    Role
	expires time.Time
}

// NewCode makes a login code that is worth one session of the role.
func (a *Auth) NewCode(role Role) (text string, expires time.Time) {
	b := make([]byte, codeBytes)
	rand.Read(b) // never fails since Go 1.24
	text = codeAlphabet.EncodeToString(b)
	expires = time.Now().Add(CodeLife)
	a.codes.add(code{hashCode(text), role, expires})
	return text, expires
}

// Redeem uses up a login code. Each can be used once.
func (a *Auth) Redeem(text string) (Role, bool) {
	return a.codes.take(hashCode(text), time.Now())
}

func hashCode(text string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(text))))
}

func (c *codes) add(fresh code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= maxCodes {
		c.open = c.open[1:]
	}
	c.open = append(c.open, fresh)
}

func (c *codes) take(hash [sha256.Size]byte, now time.Time) (Role, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, known := range c.open {
		if known.hash == hash {
			c.open = append(c.open[:i:i], c.open[i+1:]...)
			return known.role, now.Before(known.expires)
		}
	}
	return "", false
}
