package session

// windowSize is how many of the newest sequence numbers of a Live stream are remembered.
const windowSize = 4096

// window is the set of the newest sequence numbers seen: one bit each, at seq
// modulo windowSize.
type window struct {
	newest uint64 // 0: none yet
	bits   [windowSize / 64]uint64
}

// advance moves the window so that it ends at seq, if that is newer.
func (w *window) advance(seq uint64) {
	if seq <= w.newest {
		return
	}
	if seq-w.newest >= windowSize {
		w.bits = [windowSize / 64]uint64{}
		w.newest = seq
	}
	for w.newest < seq {
		w.newest++
		word, bit := w.place(w.newest)
		w.bits[word] &^= bit
	}
}

// tooOld reports whether seq has left the window.
func (w *window) tooOld(seq uint64) bool { return w.newest >= windowSize && seq <= w.newest-windowSize }

// add puts seq, which is in the window, into the set; false: it was there.
func (w *window) add(seq uint64) bool {
	word, bit := w.place(seq)
	if w.bits[word]&bit != 0 {
		return false
	}
	w.bits[word] |= bit
	return true
}

func (w *window) place(seq uint64) (word int, bit uint64) {
	i := seq % windowSize
	return int(i / 64), 1 << (i % 64)
}
