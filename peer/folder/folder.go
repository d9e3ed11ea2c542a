// Package folder holds a program's folder against a second process: two agents
// with one key, or two servers with one registry, would spoil it for one another.
package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// lockFile is locked for as long as its process is there; in it is its number.
const lockFile = "lock"

// HeldError says that another process holds the folder.
type HeldError struct {
	PID int // its number, where it runs; 0 is unknown
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return "held by another process"
	}
	return fmt.Sprintf("held by process %d", e.PID)
}

// Lock is a folder that is held, until Release or the end of the process,
// however it ends.
type Lock struct{ file *os.File }

// Hold makes the folder if it is not there, for its owner alone, and holds it.
// For patience it waits for a predecessor that is just ending; then it returns a
// *HeldError. Where the system has no such locks, it holds nothing.
func Hold(path string, patience time.Duration) (*Lock, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockPatiently(f, patience); err != nil {
		err = named(err, f)
		f.Close()
		return nil, err
	}
	sign(f)
	return &Lock{f}, nil
}

// Release lets go of the folder. The file stays: to remove it would race with
// the next one that holds it. A nil Lock holds nothing.
func (l *Lock) Release() {
	if l != nil {
		l.file.Close()
	}
}

// Held says whether a process holds the folder. It is an error if none ever
// did; where the system has no such locks, it says yes.
func Held(path string) (bool, error) {
	f, err := os.Open(filepath.Join(path, lockFile))
	if err != nil {
		return false, err
	}
	defer f.Close()
	err = lockShared(f)
	if errors.Is(err, errHeld) {
		return true, nil
	}
	return err == nil && !locks, err
}

var errHeld = errors.New("held")

func lockPatiently(f *os.File, patience time.Duration) error {
	const pause = 20 * time.Millisecond
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		err := lock(f)
		if !errors.Is(err, errHeld) || time.Now().After(end) {
			return err
		}
	}
}

// sign writes who holds the folder. It is for people: a disk that is full must
// keep no program from its start.
func sign(f *os.File) {
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	}
}

// named says who holds the folder, if that one has said so.
func named(failed error, f *os.File) error {
	if !errors.Is(failed, errHeld) {
		return failed
	}
	var text [20]byte
	n, _ := f.ReadAt(text[:], 0)
	pid, err := strconv.ParseUint(strings.TrimSpace(string(text[:n])), 10, 31)
	if err != nil {
		return &HeldError{}
	}
	return &HeldError{PID: int(pid)}
}
