package main

import (
	"bytes"
	"io"
	"time"
)

// held is an answer's body that comes in lumps: all of it at its end, or what has gathered when there is no more room or
// the time is over.
type held struct {
	// Set once.
	src    io.ReadCloser
	size   int
	time   time.Duration
	pieces chan []byte
	closed chan struct{}

	// Owned by the reader.
	lump  bytes.Buffer
	ended bool

	err error // why src ended; set before pieces is closed
}

// hold returns when the first lump is there: until then the answer's headers are held, too.
func hold(src io.ReadCloser, size int, longest time.Duration) io.ReadCloser {
	h := &held{src: src, size: size, time: longest, pieces: make(chan []byte), closed: make(chan struct{})}
	go h.pump()
	h.gather()
	return h
}

func (h *held) pump() {
	defer close(h.pieces)
	for {
		piece := make([]byte, 16<<10)
		n, err := h.src.Read(piece)
		if n > 0 {
			select {
			case h.pieces <- piece[:n]:
			case <-h.closed:
				return
			}
		}
		if err != nil {
			h.err = err
			return
		}
	}
}

func (h *held) gather() {
	timer := time.NewTimer(h.time)
	defer timer.Stop()
	for h.lump.Len() < h.size {
		select {
		case piece, more := <-h.pieces:
			if !more {
				h.ended = true
				return
			}
			h.lump.Write(piece)
		case <-timer.C:
			return
		}
	}
}

// Read implements io.Reader.
func (h *held) Read(p []byte) (int, error) {
	for h.lump.Len() == 0 {
		if h.ended {
			return 0, h.err
		}
		h.gather()
	}
	return h.lump.Read(p)
}

// Close implements io.Closer.
func (h *held) Close() error {
	close(h.closed)
	return h.src.Close()
}
