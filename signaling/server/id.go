package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// idBytes of a server's id, which names it among others for as long as its
// data folder lives.
const idBytes = 16

// serverID reads the id in dir, or makes one.
func serverID(dir string) (string, error) {
	path := filepath.Join(dir, "server.id")
	data, err := os.ReadFile(path)
	if err == nil {
		id := strings.TrimSpace(string(data))
		if b, err := hex.DecodeString(id); err != nil || len(b) != idBytes {
			return "", fmt.Errorf("%s holds no id of %d hex digits: delete it, a new one is made at the next start", path, 2*idBytes)
		}
		return id, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the server's id: %w", err)
	}
	fresh := make([]byte, idBytes)
	rand.Read(fresh) // never fails since Go 1.24
	id := hex.EncodeToString(fresh)
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the server's id: %w", err)
	}
	return id, nil
}
