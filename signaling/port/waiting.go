package port

import (
	"container/list"
	"net"
	"sync"
)

// waiting are the connections that have not said yet what they are, the
// longest first. When more come than have room, that one has to go: who means
// it speaks at once, and who floods us pushes out his own.
type waiting struct {
	room int // how many may wait

	mu    sync.Mutex
	conns list.List // of net.Conn
}

// add lets conn wait. It returns the connection that had to go for it, nil if none.
func (w *waiting) add(conn net.Conn) (place *list.Element, pushedOut net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conns.Len() >= w.room {
		pushedOut = w.conns.Remove(w.conns.Front()).(net.Conn)
	}
	return w.conns.PushBack(conn), pushedOut
}

// remove ends a wait.
func (w *waiting) remove(place *list.Element) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns.Remove(place) // nothing, if it had to go
}

// closeAll closes all that wait.
func (w *waiting) closeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := w.conns.Front(); e != nil; e = e.Next() {
		e.Value.(net.Conn).Close()
	}
}
