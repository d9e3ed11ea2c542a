package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/folder"
)

func hold(t *testing.T, path string, patience time.Duration) *folder.Lock {
	t.Helper()
	l, err := folder.Hold(path, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Release)
	return l
}

func TestHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder")
	first := hold(t, path, 0)
	for name, want := range map[string]os.FileMode{"lock": 0o600, ".": 0o700} {
		if info, err := os.Stat(filepath.Join(path, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	var held *folder.HeldError
	if _, err := folder.Hold(path, 0); !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Fatalf("%v, want one held by process %d", err, os.Getpid())
	}
	// A predecessor that is just ending is waited for.
	time.AfterFunc(100*time.Millisecond, first.Release)
	hold(t, path, 5*time.Second)
}

func TestWhoHoldsItMayNotHaveSaidSo(t *testing.T) {
	path := t.TempDir()
	hold(t, path, 0)
	for _, text := range []string{"", "-1", "x", "12345678901234567890123"} {
		if err := os.WriteFile(filepath.Join(path, "lock"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var held *folder.HeldError
		if _, err := folder.Hold(path, 0); !errors.As(err, &held) || held.PID != 0 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A longer number of a predecessor leaves nothing behind the new one.
func TestSignedAnew(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "lock"), []byte("99999999999999\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hold(t, path, 0)
	if text, err := os.ReadFile(filepath.Join(path, "lock")); err != nil || string(text) != strconv.Itoa(os.Getpid())+"\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestHeld(t *testing.T) {
	path := t.TempDir()
	if _, err := folder.Held(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("never held: %v", err)
	}
	l := hold(t, path, 0)
	if held, err := folder.Held(path); !held || err != nil {
		t.Errorf("%v, %v", held, err)
	}
	l.Release()
	if held, err := folder.Held(path); held || err != nil {
		t.Errorf("released: %v, %v", held, err)
	}
}
