package badinput

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretsStayPrivate: on disk they are their user's alone, and nobody prints one. The login code is for printing.
func TestSecretsStayPrivate(t *testing.T) {
	w := newWorld(t)
	d := w.device(t, "board")
	numbered(t, d, 1)
	w.view(t, "board")
	var secrets []string
	must(t, filepath.WalkDir(w.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Base(path) == "lock" || strings.Contains(path, "/nats/") {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return nil // replaced meanwhile
		}
		if info.Mode().Perm()&0o077 != 0 && strings.Contains(path, "/server/") {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		if name := filepath.Base(path); filepath.Base(filepath.Dir(path)) == "tokens" || name == "session.key" || name == "key" {
			data, err := os.ReadFile(path)
			secrets = append(secrets, strings.TrimSpace(string(data)))
			return err
		}
		return nil
	}))
	if len(secrets) != 6 { // four tokens, the key of sessions, the device's key
		t.Fatalf("%d secrets were found", len(secrets))
	}
	said := w.server.Tail(1000) + d.Tail(1000)
	cmdline, err := os.ReadFile("/proc/" + pid(d) + "/cmdline")
	must(t, err)
	for _, secret := range secrets {
		if strings.Contains(said, secret) || strings.Contains(string(cmdline), secret) {
			t.Error("a secret is in a log or on a command line")
		}
	}
}

// TestReadableSecretsAreRefused: what others may have read is no secret, and the way out is told.
func TestReadableSecretsAreRefused(t *testing.T) {
	w := newWorld(t)
	if _, err := w.server.Stop(patience); err != nil {
		t.Fatal(err)
	}
	must(t, os.Chmod(w.Token("viewer"), 0o644))
	again, err := w.StartServer(nil, "127.0.0.1:0")
	if err == nil {
		again.Kill()
		t.Fatal("the server takes a token that others can read")
	}
	if !strings.Contains(err.Error(), "chmod 600 "+w.Token("viewer")) {
		t.Errorf("it says %v", err)
	}
}
