package session

import (
	"cmp"
	"slices"

	"github.com/telepath-iot/telepath/peer/wire"
)

// maxGaps bounds the gaps known and not reached, of one stream. An honest
// sender has one per hole in flight; those beyond the bound come again. The one
// that the position stands before is taken all the same: it is passed at once.
const maxGaps = 256

// gapList holds gaps that lie, at least in part, beyond the position: in
// order, without overlap. Only the last can be without end (To 0).
type gapList struct{ gaps []wire.Gap }

func (l *gapList) empty() bool { return len(l.gaps) == 0 }
func (l *gapList) clear()      { l.gaps = nil }

// add takes what of g is not known yet.
func (l *gapList) add(g wire.Gap, position uint64) {
	g.From = max(g.From, position+1)
	if len(l.gaps) >= maxGaps && g.From > position+1 {
		return
	}
	known := l.gaps
	for _, k := range known {
		if before := g; before.From < k.From {
			before.To = lesser(g.To, k.From-1)
			l.gaps = append(l.gaps, before)
		}
		if k.To == 0 || g.To != 0 && g.To <= k.To {
			g.From = 0
			break
		}
		g.From = max(g.From, k.To+1)
	}
	if g.From != 0 {
		l.gaps = append(l.gaps, g)
	}
	slices.SortFunc(l.gaps, func(a, b wire.Gap) int { return cmp.Compare(a.From, b.From) })
}

// lesser is the smaller end, where 0 stands for no end.
func lesser(to, limit uint64) uint64 {
	if to == 0 {
		return limit
	}
	return min(to, limit)
}

// at returns the gap that holds the sample behind the position. Gaps that lie
// before it are forgotten.
func (l *gapList) at(position uint64) (wire.Gap, bool) {
	for len(l.gaps) > 0 && l.gaps[0].To != 0 && l.gaps[0].To <= position {
		l.gaps = l.gaps[1:]
	}
	if len(l.gaps) == 0 || l.gaps[0].From > position+1 {
		return wire.Gap{}, false
	}
	return l.gaps[0], true
}

func (l *gapList) ranges() (ranges []wire.Range) {
	for _, g := range l.gaps {
		if g.To != 0 {
			ranges = append(ranges, wire.Range{From: g.From, To: g.To})
		}
	}
	return ranges
}

// mergeRanges joins two lists of ranges into one: ascending, not touching.
func mergeRanges(a, b []wire.Range) []wire.Range {
	all := append(a, b...)
	slices.SortFunc(all, func(a, b wire.Range) int { return cmp.Compare(a.From, b.From) })
	merged := all[:0]
	for _, r := range all {
		if n := len(merged) - 1; n >= 0 && r.From <= merged[n].To+1 {
			merged[n].To = max(merged[n].To, r.To)
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}
