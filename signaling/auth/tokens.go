package auth

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Lengths of secrets, in random bytes.
const (
	tokenBytes      = 32
	sessionKeyBytes = 32
	postsKeyBytes   = 32
	turnKeyBytes    = 32
)

// minSecret is the shortest secret that is accepted from a file, in
// characters: what somebody typed by hand must not be guessable.
const minSecret = 22

// newToken makes a token that says what it is when it turns up where it should not.
func newToken(role Role) string {
	return "telepath-" + string(role) + "-" + randomText(tokenBytes)
}

func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

// secretFile returns the secret in path. A file that is not there is made
// with the content fresh, readable by its owner alone.
func secretFile(path, fresh string) (string, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return readSecret(path)
	}
	if err != nil {
		return "", fmt.Errorf("make %s: %w", path, err)
	}
	_, err = file.WriteString(fresh + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return fresh, nil
}

func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %04o): run `chmod 600 %s`, or, if somebody may have seen it, delete the file (a new one is made at the next start)", path, mode, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSpace(string(data))
	if len(secret) < minSecret {
		return "", fmt.Errorf("%s holds %d characters, fewer than %d: delete it, a new one is made at the next start", path, len(secret), minSecret)
	}
	return secret, nil
}
