package turn

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// CredentialLife is how long credentials are good for making allocations. What
// was allocated lives on for as long as its client refreshes it, or until its
// session is revoked.
const CredentialLife = time.Hour

// credentials are time-limited, and good for one session: the name says both,
// the password is its MAC. It is the scheme of draft-uberti-behave-turn-rest-00,
// which coturn calls use-auth-secret: what an external server takes, the
// embedded one takes, too.
//
//	username = EXPIRES ":" SESSION             EXPIRES in Unix seconds
//	password = BASE64(HMAC-SHA1(secret, username))
type credentials []byte // the secret

// issue makes credentials for one session.
func (c credentials) issue(session string, expires time.Time) (username, password string) {
	username = strconv.FormatInt(expires.Unix(), 10) + ":" + session
	return username, c.password(username)
}

func (c credentials) password(username string) string {
	mac := hmac.New(sha1.New, c)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// maxUsername in bytes; a session is a UUID. (RFC 8489 allows 508.)
const maxUsername = 128

// parseUsername takes a name apart. What it says is true only if the password is right.
func parseUsername(username string) (session string, expires time.Time, ok bool) {
	stamp, session, found := strings.Cut(username, ":")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !found || err != nil || session == "" || len(username) > maxUsername {
		return "", time.Time{}, false
	}
	return session, time.Unix(seconds, 0), true
}
