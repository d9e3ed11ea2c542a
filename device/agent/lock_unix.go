//go:build unix

package agent

import (
	"errors"
	"os"
	"syscall"
)

// hold takes the lock, for as long as the file is open; the system gives it
// back when the process ends, however it ends.
func hold(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// held says whether a process holds the lock.
func held(f *os.File) (bool, error) {
	err := flock(f, syscall.LOCK_SH)
	if errors.Is(err, errHeld) {
		return true, nil
	}
	return false, err
}

func flock(f *os.File, how int) error {
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err
}
