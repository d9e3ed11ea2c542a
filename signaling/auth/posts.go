package auth

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
)

// PostsKey is the identity of the device that posts under a name: the same one
// for as long as the data folder lives, and at no other server.
func (a *Auth) PostsKey(name string) ed25519.PrivateKey {
	mac := hmac.New(sha256.New, a.posts)
	mac.Write([]byte("telepath posts v1\x00" + name))
	return ed25519.NewKeyFromSeed(mac.Sum(nil))
}
