package settings

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"
)

const (
	// maxUnwritten is how much of the log waits for whoever reads it, in bytes.
	maxUnwritten = 256 << 10
	// lastWords is how long a program that ends waits until its log is written.
	lastWords = time.Second
)

// unread is a log that nobody has to read: lines that find their reader stopped wait, and what there is no room for is dropped,
// and counted when the reader goes on. A terminal whose output somebody has paused would hold up the whole program with its
// next line, and with it the machine that it is to make safe.
type unread struct {
	to     io.Writer
	missed func(dropped int) // says in the log how many lines are missing before this one

	mu      sync.Mutex
	lines   [][]byte // guarded by mu, like all below
	size    int      // of lines, in bytes
	dropped int
	writing bool          // a goroutine writes what there is, and closes done behind it
	done    chan struct{} // nil: nothing was ever written
}

// Write takes a line. It never blocks, and never fails: there is nobody to tell it to.
func (u *unread) Write(line []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.size+len(line) > maxUnwritten {
		u.dropped++
		return len(line), nil
	}
	u.lines, u.size = append(u.lines, slices.Clone(line)), u.size+len(line)
	if !u.writing {
		u.writing, u.done = true, make(chan struct{})
		go u.write(u.done)
	}
	return len(line), nil
}

// write writes until there is nothing more.
func (u *unread) write(done chan struct{}) {
	defer close(done)
	for {
		line, dropped := u.next()
		switch {
		case line != nil:
			_, _ = u.to.Write(line)
		case dropped > 0:
			u.missed(dropped)
		default:
			return
		}
	}
}

// next is the line to be written; nil: there is none, but so many were dropped.
func (u *unread) next() (line []byte, dropped int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.lines) > 0 {
		line, u.lines = u.lines[0], u.lines[1:]
		u.size -= len(line)
		return line, 0
	}
	dropped, u.dropped = u.dropped, 0
	u.writing = dropped > 0
	return nil, dropped
}

// finish waits until all is written, but not for a reader that has stopped.
func (u *unread) finish() {
	u.mu.Lock()
	done := u.done
	u.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-time.After(lastWords):
	}
}

// logs are those of a program that Run runs.
type logs struct {
	mu  sync.Mutex
	all []*unread // guarded by mu
}

type logsKey struct{}

// finish waits until all is written.
func (l *logs) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.all {
		u.finish()
	}
}

// logsOf is nil for a command that Run does not run.
func logsOf(ctx context.Context) *logs {
	l, _ := ctx.Value(logsKey{}).(*logs)
	return l
}

func (l *logs) add(u *unread) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, u)
}
