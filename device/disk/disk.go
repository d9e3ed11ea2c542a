// Package disk is a folder as those see it who keep something in it for good,
// the spool and the journal: files that are appended to, and what survives a
// power cut. Package disktest has one that fails and forgets as disks do.
package disk

import (
	"io"
	"os"
	"path/filepath"
)

// FS is such a folder, as much of it as is used. OS is the real one.
type FS interface {
	// List returns the files of the folder, which is made if it is not there.
	List() ([]Entry, error)
	// Create makes a new file and opens it for appending. One that is there is an error.
	Create(name string) (File, error)
	// Append opens a file that is there for appending.
	Append(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (ReadFile, error)
	// Remove removes a file. It may still be read by who has it open.
	Remove(name string) error
	// Room is what is free for this program, and how large the file system is,
	// in bytes; total 0: nobody knows.
	Room() (free, total int64, err error)
	// Sync makes what was created and removed survive a power cut.
	Sync() error
}

// Entry is a file in a listing.
type Entry struct {
	Name string
	Size int64 // bytes
}

// File is a file that is appended to.
type File interface {
	io.WriteCloser
	Sync() error
}

// ReadFile is a file that is read.
type ReadFile interface {
	io.ReaderAt
	io.Closer
}

// OS is a folder of the operating system.
type OS struct{ Dir string }

// List implements FS.
func (o OS) List() ([]Entry, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(o.Dir)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.Mode().IsRegular() { // what is gone meanwhile is not there
			entries = append(entries, Entry{f.Name(), info.Size()})
		}
	}
	return entries, nil
}

// Create implements FS.
func (o OS) Create(name string) (File, error) {
	f, err := os.OpenFile(o.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err // not f: a nil *os.File in an interface is not nil
	}
	return f, nil
}

// Append implements FS.
func (o OS) Append(name string) (File, error) {
	f, err := os.OpenFile(o.path(name), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Open implements FS.
func (o OS) Open(name string) (ReadFile, error) {
	f, err := os.Open(o.path(name))
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Remove implements FS.
func (o OS) Remove(name string) error { return os.Remove(o.path(name)) }

// Sync implements FS.
func (o OS) Sync() error {
	f, err := os.Open(o.Dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (o OS) path(name string) string { return filepath.Join(o.Dir, name) }
