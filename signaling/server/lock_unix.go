//go:build unix

package server

import (
	"errors"
	"os"
	"syscall"
)

// hold takes a lock for as long as the file is open; the system gives it back
// when the process ends, however it ends.
func hold(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err
}
