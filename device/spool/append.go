package spool

import "github.com/telepath-iot/telepath/peer/wire"

// Append takes a batch: the body of a Data frame with that header, which is not
// modified any more. It never waits. The ticket is for Durable. With ErrFull the
// batch is not kept, which the log declares as a gap. With Config.Refuse it
// declares none, also with ErrNoRoom: who is refused has not used the numbers, and may come again.
// With ErrEnded nothing is kept any more.
func (s *Spool) Append(d Description, h wire.Header, body []byte) (ticket uint64, err error) {
	e := entry{
		Key: Key{h.Epoch, h.Stream}, first: h.Seq, last: h.Last(), data: body,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Description = s.shareLocked(d)
	s.run = h.Epoch
	if err := s.roomLocked(e); err != nil {
		s.refuseLocked(e)
		return 0, err
	}
	s.declareLocked(e.Key)
	e.at, e.turned = s.labelLocked()
	s.ticket++
	s.stats.Batches++
	e.ticket = s.ticket
	s.waitLocked(e)
	return e.ticket, nil
}

// roomLocked says why an entry finds no room. With Refuse two segments stay free: one that will be begun, and what heads, footers
// and merging take. How many files there are does not matter: they are merged when the next is begun.
func (s *Spool) roomLocked(e entry) error {
	switch {
	case s.ended:
		return ErrEnded
	case s.held+e.size() > s.cfg.Memory:
		return ErrFull
	case s.cfg.Refuse && (s.usedLocked()+int64(s.held-s.inFile+e.size()) > s.cfg.Bytes-2*s.segment):
		return ErrNoRoom
	}
	return nil
}

// refuseLocked notes what is not kept, to be declared when there is room again.
func (s *Spool) refuseLocked(e entry) {
	s.stats.Refused += e.last - e.first + 1
	if s.cfg.Refuse {
		return
	}
	gap, there := s.refused[e.Key]
	if !there {
		gap = e
		gap.data = nil
	}
	gap.last = e.last
	s.refused[e.Key] = gap
}

// declareLocked puts what of a stream was refused in front of what is taken now.
func (s *Spool) declareLocked(k Key) {
	if gap, there := s.refused[k]; there {
		delete(s.refused, k)
		gap.ticket = s.ticket // of what is in front of it
		s.waitLocked(gap)
	}
}

func (s *Spool) waitLocked(e entry) {
	if len(s.waiting) == 0 {
		s.flushAt = s.now() + s.cfg.Flush
		s.kick()
	}
	s.waiting = append(s.waiting, e)
	s.held += e.size()
	if s.held > s.cfg.Memory/2 {
		s.flushAt = 0
		s.kick()
	}
}

// kick wakes Run. It never waits.
func (s *Spool) kick() {
	select {
	case s.kicked <- struct{}{}:
	default:
	}
}

// Durable is the ticket up to which everything that was taken survives a power cut.
func (s *Spool) Durable() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable
}
