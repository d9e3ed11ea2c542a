package rpc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// keySize of a key, in bytes.
const keySize = 16

// KeyFor is the key of the lease of one device, made of the secret of who asks: each device is told its own, from which none
// learns that of another one.
func KeyFor(secret, device string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("telepath lease v1\x00" + device))
	return hex.EncodeToString(mac.Sum(nil)[:keySize])
}
