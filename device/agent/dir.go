package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/peer/folder"
)

// The files in a device's folder.
const (
	keyFile    = "key"
	statusFile = "status.json"
	knownFile  = "known" // is there when a server has let the device in, at whichever start
)

// dir is a device's folder, held by one process.
type dir struct {
	path string
	lock *folder.Lock
}

// lockPatience is how long to wait for a predecessor that was just killed, or
// for a health check, to let go of the folder. Who is killed in a sync is there
// until the disk has taken it, and where others keep all processors two seconds
// were too short once.
const lockPatience = 5 * time.Second

// openDir makes the folder if it is not there, and holds it against other agents.
func openDir(path string) (*dir, error) {
	lock, err := folder.Hold(path, lockPatience)
	if held := (*folder.HeldError)(nil); errors.As(err, &held) {
		return nil, fmt.Errorf("device folder %s is in use by another agent (%w): stop that one, or give each its own folder (two devices cannot share a key)", path, held)
	}
	if err != nil {
		return nil, fmt.Errorf("device folder: %w", err)
	}
	return &dir{path, lock}, nil
}

func (d *dir) close() { d.lock.Release() }

func (d *dir) file(name string) string { return filepath.Join(d.path, name) }

// isKnown reports whether a server has let the device in.
func (d *dir) isKnown() bool {
	_, err := os.Stat(d.file(knownFile))
	return err == nil
}

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
