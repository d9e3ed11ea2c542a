package guard

import (
	"fmt"
	"io"
)

// maxWords bounds what waits to be written, in lines: more is left out, since nobody reads it.
const maxWords = 16

// words is what the guard says, written in a goroutine of its own: a terminal that is paused, or a pipe that nobody reads, must not
// keep it from making safe.
type words struct {
	lines chan string
	over  chan struct{}
}

func speak(to io.Writer) words {
	w := words{make(chan string, maxWords), make(chan struct{})}
	go func() {
		defer close(w.over)
		for line := range w.lines {
			_, _ = io.WriteString(to, line) // there is nobody else to tell
		}
	}()
	return w
}

func (w words) say(format string, args ...any) {
	select {
	case w.lines <- fmt.Sprintf(format+"\n", args...):
	default:
	}
}

// end waits until all is written. Nothing is said any more.
func (w words) end() {
	close(w.lines)
	<-w.over
}
