package live

import "github.com/telepath-iot/telepath/peer/wire"

// numbers is the set of the newest packet numbers that came, wire.MaxReceipt of them.
type numbers struct {
	newest uint64 // 0: none
	bits   [wire.MaxReceipt / 64]uint64
}

// add puts n into the set; false: it is there, or too old to say.
func (s *numbers) add(n uint64) bool {
	if n > s.newest {
		if n-s.newest >= wire.MaxReceipt {
			s.bits = [wire.MaxReceipt / 64]uint64{}
			s.newest = n - 1
		}
		for s.newest < n {
			s.newest++
			word, bit := place(s.newest)
			s.bits[word] &^= bit
		}
	}
	if s.newest-n >= wire.MaxReceipt {
		return false
	}
	word, bit := place(n)
	fresh := s.bits[word]&bit == 0
	s.bits[word] |= bit
	return fresh
}

// has reports whether n, at most newest and not too old, is in the set.
func (s *numbers) has(n uint64) bool {
	word, bit := place(n)
	return s.bits[word]&bit != 0
}

func place(n uint64) (word int, bit uint64) {
	i := n % wire.MaxReceipt
	return int(i / 64), 1 << (i % 64)
}

// runs lists what came and what did not, from newest down to first.
func (s *numbers) runs(first uint64) (runs []wire.Run) {
	if s.newest >= wire.MaxReceipt {
		first = max(first, s.newest-wire.MaxReceipt+1)
	}
	for n := s.newest; n >= first && n > 0; {
		var run wire.Run
		for ; n >= first && n > 0 && s.has(n); n-- {
			run.Came++
		}
		for ; n >= first && n > 0 && !s.has(n); n-- {
			run.Missed++
		}
		if len(runs) == wire.MaxReceiptRuns {
			break
		}
		runs = append(runs, run)
	}
	return runs
}
