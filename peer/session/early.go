package session

// maxEarly bounds what a Conn's Inboxes hold together, in bytes (section 5.1):
// what a page can spare. An honest device sends no more than that to be held.
const maxEarly = 8 << 20

// Early bounds what all Inboxes of a Conn hold of what came early. The stream
// that would go beyond gives way: what it lacks next is delivered all the same,
// without being held.
type Early struct {
	limit int
	used  int
}

// NewEarly returns an Early of limit bytes; 0 stands for 8 MiB. Inboxes of
// another epoch need another one: nothing is given back by an Inbox that is dropped.
func NewEarly(limit int) *Early {
	if limit == 0 {
		limit = maxEarly
	}
	return &Early{limit: limit}
}

// Used is the number of bytes held, with 64 for each batch's own cost.
func (e *Early) Used() int { return e.used }

func (e *Early) full() bool { return e.used > e.limit }
