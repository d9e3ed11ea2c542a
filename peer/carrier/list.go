package carrier

// node is one queued frame in its lane's list.
type node struct {
	frame      Frame
	prev, next *node
	superseded bool // a newer frame of its stream was queued behind it
	chosen     bool // goes into the packet that is being made
}

// list is a doubly linked list, oldest at the front: frames leave from both
// ends and, when dropped, from the middle.
type list struct {
	front, back *node
	depth       Depth
}

func (l *list) pushBack(n *node) {
	n.prev, n.next = l.back, nil
	if l.back != nil {
		l.back.next = n
	} else {
		l.front = n
	}
	l.back = n
	l.depth.Frames++
	l.depth.Bytes += len(n.frame.Bytes)
}

func (l *list) pushFront(n *node) {
	n.prev, n.next = nil, l.front
	if l.front != nil {
		l.front.prev = n
	} else {
		l.back = n
	}
	l.front = n
	l.depth.Frames++
	l.depth.Bytes += len(n.frame.Bytes)
}

func (l *list) remove(n *node) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.front = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		l.back = n.prev
	}
	l.depth.Frames--
	l.depth.Bytes -= len(n.frame.Bytes)
}

// victim is the frame that a full list loses first: the oldest that a newer
// one of its stream follows, so that every stream keeps its newest value; the
// oldest of all only where there is no such one.
func (l *list) victim() *node {
	for n := l.front; n != nil; n = n.next {
		if n.superseded {
			return n
		}
	}
	return l.front
}
