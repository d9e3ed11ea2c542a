//go:build unix

package folder

import (
	"errors"
	"os"
	"syscall"
)

// locks says that the system has advisory locks, which end with their process.
const locks = true

func lock(f *os.File) error       { return flock(f, syscall.LOCK_EX) }
func lockShared(f *os.File) error { return flock(f, syscall.LOCK_SH) }

func flock(f *os.File, how int) error {
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err
}
