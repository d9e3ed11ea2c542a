package live

import "time"

// doubt is whether a queue is one. A queue of our own gets shorter where less
// is sent than arrives, and no faster than time passes. A way that has become
// longer does not get shorter, and a receiver that had no time for a moment
// answers at once again. The zero doubt has not looked yet.
type doubt struct {
	queue     time.Duration // as it was at the last look; 0: there was none
	shrinks   time.Duration // since when it can have got shorter
	from      time.Duration // since when less is sent, or since that look
	out, came int           // bytes sent, and arrived, since that look
	vain      int           // looks in a row at which nothing had changed
}

const (
	// vainMost is how many looks in a row that see no change say that there is no queue: the way has become longer.
	vainMost = 2
	// vainQueue is the share of a queue that is left at most, if what fills it is ours: for twice its
	// time four fifths of what arrives were sent, so 0.6 of it.
	vainQueue = 0.85
	// vainRate is the share of what was sent that has to arrive meanwhile: where the way bears less, a queue stays.
	vainRate = 0.75
)

func (d *doubt) looked() bool { return d.queue > 0 }

// look notes the queue, for the next look to compare.
func (d *doubt) look(queue, shrinks, from time.Duration) {
	d.queue, d.shrinks, d.from = queue, shrinks, from
	d.out, d.came = 0, 0
}

// tooShort reports whether a packet that was sent at a time found less than half of
// what must have been left then, had nothing been sent since the look.
func (d *doubt) tooShort(sentAt, queue time.Duration) bool {
	return queue < (d.queue-(sentAt-d.shrinks))/2
}

// inVain looks again when less has been sent for twice the queue's time, and
// reports whether that has changed nothing, too often.
func (d *doubt) inVain(sentAt, queue time.Duration) bool {
	switch {
	case !d.looked() || sentAt < d.from+2*d.queue:
		return false
	case queue <= lateQueue:
		*d = doubt{}
		return false
	case float64(queue) < vainQueue*float64(d.queue):
		d.vain = 0
	case float64(d.came) >= vainRate*float64(d.out):
		d.vain++
	}
	d.look(queue, sentAt, sentAt)
	return d.vain >= vainMost
}
