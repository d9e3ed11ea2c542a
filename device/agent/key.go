package agent

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const (
	pemType   = "PRIVATE KEY" // PKCS #8 (RFC 7468 section 10), as openssl reads and writes it
	othersMay = 0o077
)

// key loads the device's key, or makes it at the first start.
func (d *dir) key() (ed25519.PrivateKey, error) {
	path := d.file(keyFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d.makeKey()
	}
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	if info.Mode().Perm()&othersMay != 0 {
		return nil, fmt.Errorf("device key %s can be read by others (mode %04o): chmod 600 it, or remove it for a new identity", path, info.Mode().Perm())
	}
	key, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("device key %s: %w: put the right one back, or remove it for a new identity", path, err)
	}
	return key, nil
}

func parseKey(data []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemType {
		return nil, errors.New("the file holds no private key in PEM form")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the file holds a %T, not an Ed25519 key", parsed)
	}
	return key, nil
}

func (d *dir) makeKey() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	_ = os.Remove(d.file(knownFile)) // of who was here before
	if err := d.write(keyFile, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), true); err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	return key, nil
}
