package tunnel

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// digest answers the challenges of one nonce (RFC 7616).
type digest struct {
	algorithm string // as the proxy wrote it; may be empty
	new       func() hash.Hash
	session   bool // -sess: the secret is bound to nonce and cnonce
	qop       bool // auth; else the way of RFC 2069
	userhash  bool
	realm     string
	nonce     string
	opaque    string
	cnonce    string
	uses      uint32 // of the nonce
}

// hashes are the algorithms that there are, strongest first. MD5 is what most
// proxies still have.
var hashes = []struct {
	name string
	new  func() hash.Hash
}{
	{"sha-512-256", sha512.New512_256},
	{"sha-256", sha256.New},
	{"md5", md5.New},
}

// newDigest prepares answers to a challenge; nil if it wants what we do not have.
func newDigest(c challenge) *digest {
	d := &digest{
		algorithm: c.params["algorithm"], realm: c.params["realm"], nonce: c.params["nonce"], opaque: c.params["opaque"],
		userhash: strings.EqualFold(c.params["userhash"], "true"),
	}
	strength := strengthOf(c)
	if strength < 0 || d.nonce == "" || !clean(d.realm+d.nonce+d.opaque) {
		return nil
	}
	d.new = hashes[strength].new
	d.session = strings.HasSuffix(strings.ToLower(d.algorithm), "-sess")
	if qop, given := c.params["qop"]; given {
		d.qop = slices.Contains(splitList(qop), "auth")
		if !d.qop { // auth-int alone
			return nil
		}
	}
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand.Read)
	d.cnonce = hex.EncodeToString(random[:])
	return d
}

// strengthOf is the place of a challenge's algorithm in hashes, −1 if it is not there.
func strengthOf(c challenge) int {
	name := strings.TrimSuffix(strings.ToLower(c.params["algorithm"]), "-sess")
	if name == "" {
		name = "md5"
	}
	for i, h := range hashes {
		if h.name == name {
			return i
		}
	}
	return -1
}

func splitList(text string) (items []string) {
	for item := range strings.SplitSeq(text, ",") {
		items = append(items, strings.ToLower(strings.TrimSpace(item)))
	}
	return items
}

// clean reports whether text can stand in a header.
func clean(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// header is the value of Proxy-Authorization for one request.
func (d *digest) header(user, password, method, uri string) string {
	d.uses++
	count := fmt.Sprintf("%08x", d.uses)
	name := user
	if d.userhash {
		name = d.hash(user, d.realm)
	}
	text := "Digest username=" + quote(name) + ", realm=" + quote(d.realm) + ", nonce=" + quote(d.nonce) +
		", uri=" + quote(uri) + ", response=" + quote(d.response(user, password, method, uri, count))
	if d.algorithm != "" {
		text += ", algorithm=" + d.algorithm
	}
	if d.opaque != "" {
		text += ", opaque=" + quote(d.opaque)
	}
	if d.qop {
		text += ", qop=auth, nc=" + count
	}
	if d.qop || d.session {
		text += ", cnonce=" + quote(d.cnonce)
	}
	if d.userhash {
		text += ", userhash=true"
	}
	return text
}

// response is RFC 7616, section 3.4.1.
func (d *digest) response(user, password, method, uri, count string) string {
	secret := d.hash(user, d.realm, password)
	if d.session {
		secret = d.hash(secret, d.nonce, d.cnonce)
	}
	request := d.hash(method, uri)
	if !d.qop {
		return d.hash(secret, d.nonce, request)
	}
	return d.hash(secret, d.nonce, count, d.cnonce, "auth", request)
}

func (d *digest) hash(parts ...string) string {
	h := d.new()
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// quote makes a quoted-string (RFC 9110, section 5.6.4).
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
