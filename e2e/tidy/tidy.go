// Package tidy has a process that is told to end (SIGINT, SIGTERM, SIGHUP) leave nothing behind: what was made through it is
// undone first, the newest before what it is made on, and nothing more is made. A second signal ends it at once, but not one that
// comes with the first: it may have been sent to the process and to its group.
package tidy

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
)

var (
	watching sync.Once

	// making is held for reading while something is made, and for good by the end.
	making sync.RWMutex

	mu     sync.Mutex
	things []*thing // guarded by mu; oldest first
)

type thing struct{ tell, undo func() }

// Make has something made that must not outlive this process. undo takes it away again; forget is called by whoever has done so. tell
// is called before anything is undone and does not wait: what takes its time is told together; it may be nil. When the process
// was told to end, Make does not return.
func Make(create func() error, tell, undo func()) (forget func(), err error) {
	watching.Do(watch)
	making.RLock()
	defer making.RUnlock()
	if err := create(); err != nil {
		return func() {}, err
	}
	mu.Lock()
	defer mu.Unlock()
	made := &thing{tell, undo}
	things = append(things, made)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		things = slices.DeleteFunc(things, func(t *thing) bool { return t == made })
	}, nil
}

// Hold returns at once, but not when the process was told to end: for what must not be done any more then.
func Hold() {
	making.RLock()
	defer making.RUnlock()
}

// Folder makes a temporary folder, and returns what removes it.
func Folder(pattern string) (dir string, remove func(), err error) {
	undo := func() { _ = os.RemoveAll(dir) } // what is left is seen in the folder of temporary files
	forget, err := Make(func() (err error) {
		dir, err = os.MkdirTemp("", pattern)
		return err
	}, nil, undo)
	return dir, func() { undo(); forget() }, err
}

func watch() {
	told := make(chan os.Signal, 1)
	ends := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	signal.Notify(told, ends...)
	go func() {
		why := <-told
		time.AfterFunc(time.Second, func() { signal.Reset(ends...) })
		making.Lock() // what is being made is there now, and is undone as well
		mu.Lock()
		left := slices.Clone(things)
		mu.Unlock()
		for _, t := range left {
			if t.tell != nil {
				t.tell()
			}
		}
		for _, t := range slices.Backward(left) {
			t.undo()
		}
		code := 1
		if s, ok := why.(syscall.Signal); ok {
			code = 128 + int(s) // as shells say it
		}
		os.Exit(code)
	}()
}
