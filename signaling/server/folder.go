package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lockPatience is how long to wait for a predecessor that was just told to end.
const lockPatience = 2 * time.Second

var errHeld = errors.New("held by another process")

// openFolder makes the data folder if it is not there, and holds it against
// other servers: two of them would spoil the registry for one another.
func openFolder(path string) (lock *os.File, err error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	lock, err = os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err = holdPatiently(lock); err == nil {
		return lock, nil
	}
	lock.Close()
	if errors.Is(err, errHeld) {
		return nil, fmt.Errorf("data folder %s is in use by another server: end that one, or give each its own with --data DIR", path)
	}
	return nil, fmt.Errorf("data folder %s: lock: %w", path, err)
}

func holdPatiently(f *os.File) error {
	const pause = 20 * time.Millisecond
	for end := time.Now().Add(lockPatience); ; time.Sleep(pause) {
		err := hold(f)
		if !errors.Is(err, errHeld) || time.Now().After(end) {
			return err
		}
	}
}
