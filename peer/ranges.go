package peer

import (
	"slices"

	"github.com/telepath-iot/telepath/peer/wire"
)

// maxRanges bounds the holes that are remembered of one stream.
const maxRanges = 4096

// ranges is a set of sequence numbers: in order, neither overlapping nor
// adjacent. With too many holes the oldest are taken as filled.
type ranges []wire.Range

// add puts from … to into the set.
func (r *ranges) add(from, to uint64) {
	set := *r
	i := len(set) // nearly everything is the newest
	for i > 0 && set[i-1].To+1 >= from {
		i--
	}
	j := i
	for j < len(set) && set[j].From <= to+1 {
		from, to = min(from, set[j].From), max(to, set[j].To)
		j++
	}
	set = slices.Replace(set, i, j, wire.Range{From: from, To: to})
	if len(set) > maxRanges {
		set[1].From = set[0].From
		set = set[1:]
	}
	*r = set
}

// endBefore reports whether all of the set lies before a number.
func (r ranges) endBefore(seq uint64) bool { return len(r) == 0 || r[len(r)-1].To < seq }

// missing returns what of from … to is not in the set.
func (r ranges) missing(from, to uint64) (holes []wire.Range) {
	i, _ := slices.BinarySearchFunc(r, from, func(in wire.Range, seq uint64) int {
		if in.To < seq {
			return -1
		}
		return 1
	})
	for ; i < len(r) && r[i].From <= to; i++ {
		if from < r[i].From {
			holes = append(holes, wire.Range{From: from, To: r[i].From - 1})
		}
		from = r[i].To + 1
	}
	if from <= to {
		holes = append(holes, wire.Range{From: from, To: to})
	}
	return holes
}
