package carrier

// This file is about what signals have to do with the data behind them. They may describe a stream, or say who gets it, and so go
// first. Where those of one source never run dry that would keep everybody's data away for good: then data wait for the signals of
// their own source and Conn alone, and these are not kept waiting by others'.

// count notes a frame that came or, with sign -1, went.
func (q *Queue) count(lane Lane, f Frame, sign int) {
	q.shares.add(lane, f, sign)
	if f.Waiting != nil {
		f.Waiting.Add(int64(sign))
	}
	if lane != LaneSignal {
		return
	}
	if q.told[f.Conn] += sign; q.told[f.Conn] == 0 {
		delete(q.told, f.Conn)
	}
}

// held reports whether a frame of data has to wait, because signals wait on which it may count: those of its source, and what this
// end itself says on its Conn.
func (q *Queue) held(f Frame) bool {
	return q.holds && (q.shares.of(LaneSignal, f.Source) > 0 || f.Conn != 0 && q.told[f.Conn] > 0)
}

// unheld is the first frame from n on that is not held; nil: all are.
func (q *Queue) unheld(n *node) *node {
	for n != nil && q.held(n.frame) {
		n = n.next
	}
	return n
}

// takeQuiet takes the signals of those sources that have no more than a packet of them waiting, up to half of the packet: a flood
// holds neither them nor what waits for them. On each Conn they keep their order.
func (q *Queue) takeQuiet(b *Batch) {
	after := make(map[uint64]bool) // Conns of which one stays
	for n := q.lanes[LaneSignal].front; n != nil && b.room() > b.limit/2; {
		next, f := n.next, n.frame
		switch {
		case after[f.Conn] || q.shares.of(LaneSignal, f.Source) > b.limit:
			after[f.Conn] = true
		case !b.fits(n):
			return
		default:
			q.move(b, LaneSignal, n)
		}
		n = next
	}
}
