package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The files in a device's folder.
const (
	keyFile    = "key"
	lockFile   = "lock"
	statusFile = "status.json"
)

// dir is a device's folder, held by one process.
type dir struct {
	path string
	lock *os.File
}

// lockPatience is how long to wait for a predecessor that was just killed, or
// for a health check, to let go of the folder. Who is killed in a sync is there
// until the disk has taken it, and where others keep all processors two seconds
// were too short once.
const lockPatience = 5 * time.Second

var errHeld = errors.New("held by another process")

// openDir makes the folder if it is not there, and holds it against other agents.
func openDir(path string) (*dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("device folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("device folder: %w", err)
	}
	if err := holdPatiently(f); err != nil {
		f.Close()
		if errors.Is(err, errHeld) {
			return nil, fmt.Errorf("device folder %s is in use by another agent: end that one, or give each its own folder (two devices cannot have one key)", path)
		}
		return nil, fmt.Errorf("device folder %s: lock: %w", path, err)
	}
	return &dir{path, f}, nil
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

// close lets go of the folder. The lock file stays: to remove it would race with the next agent.
func (d *dir) close() { d.lock.Close() }

func (d *dir) file(name string) string { return filepath.Join(d.path, name) }

// write replaces a file as a whole: a reader sees the old or the new one.
func (d *dir) write(name string, data []byte, durable bool) error {
	f, err := os.CreateTemp(d.path, "."+name+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil && durable {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), d.file(name)); err != nil || !durable {
		return err
	}
	return d.sync()
}

// sync makes a rename in the folder survive a power cut.
func (d *dir) sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
