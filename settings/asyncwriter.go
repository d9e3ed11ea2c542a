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

// asyncWriter is where a log goes that nobody has to read: lines that find their reader stopped wait, and what there is no room for is dropped,
// and counted when the reader goes on. A terminal whose output somebody has paused would hold up the whole program with its
// next line, and with it the machine that it is to make safe.
type asyncWriter struct {
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
func (a *asyncWriter) Write(line []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.size+len(line) > maxUnwritten {
		a.dropped++
		return len(line), nil
	}
	a.lines, a.size = append(a.lines, slices.Clone(line)), a.size+len(line)
	if !a.writing {
		a.writing, a.done = true, make(chan struct{})
		go a.write(a.done)
	}
	return len(line), nil
}

// write writes until there is nothing more.
func (a *asyncWriter) write(done chan struct{}) {
	defer close(done)
	for {
		line, dropped := a.next()
		switch {
		case line != nil:
			_, _ = a.to.Write(line)
		case dropped > 0:
			a.missed(dropped)
		default:
			return
		}
	}
}

// next is the line to be written; nil: there is none, but so many were dropped.
func (a *asyncWriter) next() (line []byte, dropped int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.lines) > 0 {
		line, a.lines = a.lines[0], a.lines[1:]
		a.size -= len(line)
		return line, 0
	}
	dropped, a.dropped = a.dropped, 0
	a.writing = dropped > 0
	return nil, dropped
}

// flush waits until all is written, but not for a reader that has stopped.
func (a *asyncWriter) flush() {
	a.mu.Lock()
	done := a.done
	a.mu.Unlock()
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
	all []*asyncWriter // guarded by mu
}

type logsKey struct{}

// flush waits until all is written.
func (l *logs) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.all {
		a.flush()
	}
}

// logsOf is nil for a command that Run does not run.
func logsOf(ctx context.Context) *logs {
	l, _ := ctx.Value(logsKey{}).(*logs)
	return l
}

func (l *logs) add(a *asyncWriter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, a)
}
